"""Servers whose WSDL or schemas are wrong."""

from proxy import Got, Sent
from spoils import Faults

FAULTS = Faults()


def writes(name: str, case: str, where: str, old: str, new: str, count: int = 1) -> None:
    """Adds a server in whose files `old` is `new`. where: the end of the URL; count: how often, -1 everywhere."""

    def spoil(sent: Sent, on) -> Got:
        got = on(sent)
        if sent.method == "GET" and sent.path.lower().endswith(where):
            assert old.encode() in got.body, f"{where} has no {old}"
            got.body = got.body.replace(old.encode(), new.encode(), count)
        return got

    FAULTS[name] = (case, spoil)


def _missing(sent: Sent, on) -> Got:
    return Got(404, {"content-type": "text/plain"}, b"no") if "wsdl" in sent.path.lower() else on(sent)


def _no_capitals(sent: Sent, on) -> Got:
    return Got(405, {"content-type": "text/plain"}, b"no") if sent.path.endswith("WSDL") else on(sent)


def _as_text(sent: Sent, on) -> Got:
    got = on(sent)
    if sent.method == "GET":
        got.headers["content-type"] = "text/plain"
    return got


FAULTS["no WSDL"] = ("wsdl-names", _missing)
FAULTS["files sent as plain text"] = ("wsdl-content-type", _as_text)
FAULTS["?WSDL not known"] = ("wsdl-any-case", _no_capitals)
writes("soap:address of another host", "wsdl-address", "?wsdl", 'location="http://127.0.0.1', 'location="http://localhost')
writes("a schema that is not there", "wsdl-schemas-reachable", "?wsdl", 'schemaLocation="findlearner.xsd"', 'schemaLocation="finder.xsd"')
writes("schemaLocation ?xsd=", "wsdl-schema-locations", "?wsdl", 'schemaLocation="fault.xsd"', 'schemaLocation="?xsd=fault.xsd"')
writes("elementFormDefault qualified", "schema-findlearner-form", "findlearner.xsd", "targetNamespace=", 'elementFormDefault="qualified" targetNamespace=')
writes("an element that may be left out", "schema-findlearner-types", "findlearner.xsd", '<xs:element name="UserName"', '<xs:element minOccurs="0" name="UserName"')
writes("nillable forgotten", "schema-findlearner-types", "findlearner.xsd", ' nillable="true"', "", -1)
writes("a facet changed", "schema-learner-facets", "learner.xsd", '<xs:maxLength value="35"', '<xs:maxLength value="40"')
writes("a global element renamed", "schema-registerlearner-elements", "registerlearner.xsd", '<xs:element name="RegisterLearner"', '<xs:element name="RegisterLearners"')
writes("an operation missing", "wsdl-names zeep-reads-the-wsdl", "?wsdl", 'name="getLearnerRecord"', 'name="getRecord"', -1)
writes("a part renamed", "wsdl-operation-retrieveULNs", "?wsdl", 'name="retrieveULNsRqst"', 'name="request"')
writes("soapAction set", "wsdl-operation-learnerByULN", "?wsdl", 'soapAction=""', 'soapAction="urn:learnerByULN"')
writes("a service renamed", "wsdl-names", "?wsdl", '<wsdl:service name="LearnerService"', '<wsdl:service name="Learners"')
writes("an operation of rpc style", "R2705-document-style", "?wsdl", 'soapAction="" style="document"', 'soapAction="" style="rpc"')
writes("use encoded", "R2706-literal", "?wsdl", 'use="literal"', 'use="encoded"')
writes("another transport", "R2702-transport-http", "?wsdl", "http://schemas.xmlsoap.org/soap/http", "http://schemas.xmlsoap.org/soap/smtp")
writes("a fault under another name", "R2721-faults-are-named", "?wsdl", '<soap:fault name="exception"', '<soap:fault name="fault"')
writes("a schema that does not compile", "R2801-schemas-compile", "learnerreport.xsd", "MIAPULNReport", "MIAPULNReports")
writes("a reference to nothing", "R2101-references-are-defined", "?wsdl", 'type="tns:LearnerPortType"', 'type="tns:Learners"')

# One for each assertion of the Basic Profile about the WSDL.
_ONE = '<wsdl:part name="learnerByULN" element="findmsg:FindLearnerByULN"/>'
_PORT = '<wsdl:port name="LearnerService" binding="tns:LearnerBinding">'
_TYPES, _BODY = "<wsdl:types>", '<soap:body use="literal"/>'
writes("wsdl:import of a schema", "R2001-imports-are-of-wsdl", "?wsdl", _TYPES, '<wsdl:import namespace="urn:x" location="fault.xsd"/>' + _TYPES)
writes("xsd:import outside a schema", "R2002-schemas-by-xsd-import", "?wsdl", _TYPES, '<xs:import namespace="urn:x"/>' + _TYPES)
writes("schemaLocation of a WSDL", "R2004-imports-are-schemas", "?wsdl", 'schemaLocation="fault.xsd"', 'schemaLocation="?wsdl"')
writes("a schema in ISO-8859-1", "R2011-utf-8-or-utf-16", "learner.xsd", 'encoding="UTF-8"', 'encoding="ISO-8859-1"')
writes("a message before the types", "R2022-order-of-the-wsdl", "?wsdl", _TYPES, '<wsdl:message name="first"/>' + _TYPES)
writes("an extension required", "R2026-nothing-required", "?wsdl", "<soap:binding ", '<soap:binding wsdl:required="true" ')
writes("a namespace not imported", "R2102-schema-references-imported wsdl-types", "?wsdl", 'namespace="http://api.lrs.miap.gov.uk/regmsg" ', "")
writes("elements without a namespace", "R2105-schemas-have-a-namespace", "?wsdl", "</xs:schema>", '<xs:element name="x"/></xs:schema>')
writes("an encoded array", "R2110-no-soap-encoding", "learner.xsd", '<xs:complexType name="MIAPLinkedULN">',
       '<xs:complexType name="MIAPLinkedULN" xmlns:s="http://schemas.xmlsoap.org/soap/encoding/"><xs:attribute ref="s:arrayType"/>')  # fmt: skip
writes("an array by name", "R2110-no-soap-encoding", "learner.xsd", '<xs:complexType name="MIAPLinkedULN">', '<xs:complexType name="ArrayOfULN">')
writes("a body of two parts", "R2201-one-part-in-parts", "?wsdl", _BODY, '<soap:body use="literal" parts="a b"/>')
writes("a part by type", "R2204-parts-by-element", "?wsdl", _ONE, '<wsdl:part name="learnerByULN" type="xs:string"/>')
writes("a part of no element", "R2206-elements-are-global", "?wsdl", '"findmsg:FindLearnerByULN"', '"findmsg:FindLearnerByUln"')
writes("a part not bound", "R2209-parts-are-bound", "?wsdl", _BODY, "")
writes("a message of two parts", "R2210-one-part-a-message", "?wsdl", _ONE, _ONE + _ONE.replace("learnerByULN", "more"))
writes("an operation without input", "R2303-no-notifications", "?wsdl", '<wsdl:input name="learnerByULNRequest" message="tns:learnerByULNRequest"/>', "")
writes("two operations of one name", "R2304-operation-names-distinct", "?wsdl", '<wsdl:operation name="learnerByULN">',
       '<wsdl:operation name="learnerByDemographics">', -1)  # fmt: skip
writes("a part by type and element", "R2306-not-both-type-and-element", "?wsdl", 'name="learnerByULN" element', 'name="learnerByULN" type="xs:string" element')
writes("a binding of SOAP 1.2", "R2401-soap-binding", "?wsdl", "http://schemas.xmlsoap.org/wsdl/soap/", "http://schemas.xmlsoap.org/wsdl/soap12/")
writes("no transport", "R2701-transport-stated", "?wsdl", ' transport="http://schemas.xmlsoap.org/soap/http"', "")
writes("two operations of one request", "R2710-signatures-distinct", "?wsdl", "findmsg:FindLearnerByDemographics", "findmsg:FindLearnerByULN")
writes("two ports of one address", "R2711-addresses-distinct", "?wsdl", _PORT,
       _PORT.replace("Service", "Service2") + '<soap:address location="http://localhost/"/></wsdl:port>'
       + _PORT.replace("Service", "Service3") + '<soap:address location="http://localhost/"/></wsdl:port>' + _PORT)  # fmt: skip
writes("a body with a namespace", "R2716-no-namespace-on-bodies", "?wsdl", _BODY, '<soap:body use="literal" namespace="urn:x"/>')
writes("an operation not bound", "R2718-binding-has-all-operations", "?wsdl", '<wsdl:operation name="learnerByULN">\n      <soap:', '<wsdl:operation name="byULN">\n      <soap:')
