"""Servers whose WSDL or schemas are wrong."""

from proxy import Got, Sent, Spoil

FAULTS: dict[str, tuple[str, Spoil]] = {}


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


FAULTS["no WSDL"] = ("wsdl-names", _missing)
FAULTS["?WSDL not known"] = ("wsdl-any-case", _no_capitals)
writes("soap:address of another host", "wsdl-address", "?wsdl", 'location="http://127.0.0.1', 'location="http://localhost')
writes("a schema that is not there", "wsdl-schemas-reachable", "?wsdl", 'schemaLocation="findlearner.xsd"', 'schemaLocation="finder.xsd"')
writes("schemaLocation ?xsd=", "wsdl-schema-locations", "?wsdl", 'schemaLocation="fault.xsd"', 'schemaLocation="?xsd=fault.xsd"')
writes("elementFormDefault qualified", "schema-findlearner-form", "findlearner.xsd", "targetNamespace=", 'elementFormDefault="qualified" targetNamespace=')
writes("an element that may be left out", "schema-findlearner-types", "findlearner.xsd", '<xs:element name="UserName"', '<xs:element minOccurs="0" name="UserName"')
writes("nillable forgotten", "schema-findlearner-types", "findlearner.xsd", ' nillable="true"', "", -1)
writes("a facet changed", "schema-learner-facets", "learner.xsd", '<xs:maxLength value="35"', '<xs:maxLength value="40"')
writes("a global element renamed", "schema-registerlearner-elements", "registerlearner.xsd", '<xs:element name="RegisterLearner"', '<xs:element name="RegisterLearners"')
writes("an operation missing", "wsdl-names", "?wsdl", 'name="getLearnerRecord"', 'name="getRecord"', -1)
writes("a part renamed", "wsdl-operation-retrieveULNs", "?wsdl", 'name="retrieveULNsRqst"', 'name="request"')
writes("soapAction set", "wsdl-operation-learnerByULN", "?wsdl", 'soapAction=""', 'soapAction="urn:learnerByULN"')
writes("a service renamed", "wsdl-names", "?wsdl", '<wsdl:service name="LearnerService"', '<wsdl:service name="Learners"')
writes("an operation of rpc style", "R2705-document-style", "?wsdl", 'soapAction="" style="document"', 'soapAction="" style="rpc"')
writes("use encoded", "R2706-literal", "?wsdl", 'use="literal"', 'use="encoded"')
writes("another transport", "R2702-transport-http", "?wsdl", "http://schemas.xmlsoap.org/soap/http", "http://schemas.xmlsoap.org/soap/smtp")
writes("a fault under another name", "R2721-faults-are-named", "?wsdl", '<soap:fault name="exception"', '<soap:fault name="fault"')
writes("a schema that does not compile", "R2801-schemas-compile", "learnerreport.xsd", "MIAPULNReport", "MIAPULNReports")
writes("a reference to nothing", "R2101-references-are-defined", "?wsdl", 'type="tns:LearnerPortType"', 'type="tns:Learners"')
