"""What the Basic Profile says of the WSDL and its schemas."""

from collections.abc import Callable
from typing import Any

from lrs_soap.conformance import case, description

BOOK = case.Book(case.Part.PROFILE)
W, S, X = description.W, description.S, description.X
_HTTP = "http://schemas.xmlsoap.org/soap/http"
_ENC = "http://schemas.xmlsoap.org/soap/encoding/"


def _of_wsdl(number: str, slug: str, title: str) -> Callable:
    """Decorates a function that gives what is wrong with a description: texts, none if nothing."""

    def decorate(function: Callable[[description.Description], list[str]]) -> Callable:
        def run(talk: Any) -> None:
            problems = function(description.read(talk))
            case.require(not problems, "; ".join(case.brief(problem) for problem in problems[:3]))

        BOOK.add(f"{number}-{slug}", title, number, run)
        return function

    return decorate


@_of_wsdl("R2001", "imports-are-of-wsdl", "wsdl:import is used for WSDL only")
def wsdl_imports(d):
    return [f"wsdl:import of {row.get('location')}" for row in d.wsdl.iterfind(f"{W}import") if
            (row.get("location") or "").endswith(".xsd")]  # fmt: skip


@_of_wsdl("R2002", "schemas-by-xsd-import", "Schemas are brought in by xsd:import, inside wsdl:types")
def schema_imports(d):
    inside = set(d.wsdl.iterfind(f"{W}types/{X}schema/{X}import"))
    outside = [row for row in d.wsdl.iter(f"{X}import") if row not in inside]
    return ["an xsd:import stands outside the schemas of wsdl:types"] * len(outside)


@_of_wsdl("R2004", "imports-are-schemas", "What a schemaLocation names is a schema")
def imports_are_schemas(d):
    return [f"{url} is {root.tag}" for url, root in d.documents.items() if root.tag != f"{X}schema"]


@_of_wsdl("R2011", "utf-8-or-utf-16", "WSDL and schemas are XML 1.0 in UTF-8 or UTF-16")
def encodings(d):
    found = [(url, root.getroottree().docinfo, data) for url, root, data in d.raw]
    return [f"{url}: {data[:60]!r}" for url, _, data in found if not _unicode(data)]


def _unicode(data: bytes) -> bool:
    head = data[:200].replace(b"\0", b"").lower()
    return b"encoding" not in head.partition(b"?>")[0] or b"utf-8" in head or b"utf-16" in head


@_of_wsdl("R2022", "order-of-the-wsdl", "Imports come first, then wsdl:types, then the rest")
def order(d):
    rank = {f"{W}documentation": None, f"{W}import": 0, f"{W}types": 1}
    ranks = [found for row in d.wsdl if (found := rank.get(row.tag, 2)) is not None and str(row.tag).startswith(W)]
    return [] if ranks == sorted(ranks) else ["wsdl:import or wsdl:types stands behind other elements"]


@_of_wsdl("R2026", "nothing-required", "No extension is marked wsdl:required")
def required(d):
    return [row.tag for row in d.wsdl.iter() if row.get(f"{W}required") in ("true", "1")]


@_of_wsdl("R2101", "references-are-defined", "Every reference to a message, port type or binding is to one that is defined")
def references(d):
    named = {kind: {row.get("name") for row in d.wsdl.iterfind(W + kind)} for kind in ("message", "portType", "binding")}
    wanted = [(W + "portType", "message", "message"), (W + "binding", "type", "portType"), (W + "service", "binding", "binding")]
    problems = []
    for parent, attribute, kind in wanted:
        for row in d.wsdl.iterfind(parent):
            for element in row.iter():
                if attribute in element.attrib and str(element.tag).startswith(W):
                    namespace, local = description.qualified(element, attribute)
                    if namespace != d.wsdl.get("targetNamespace") or local not in named[kind]:
                        problems.append(f"{attribute}={element.get(attribute)!r} names nothing")
    return problems


@_of_wsdl("R2102", "schema-references-imported", "Names of schema components are of a namespace that is imported")
def imported(d):
    imports = {row.get("namespace") for row in d.wsdl.iterfind(f"{W}types/{X}schema/{X}import")}
    imports |= {row.get("targetNamespace") for row in d.wsdl.iterfind(f"{W}types/{X}schema")}
    parts = [(part, description.qualified(part, "element")) for part in d.parts() if part.get("element")]
    return [f"part {part.get('name')}: {namespace} is not imported" for part, (namespace, _) in parts if namespace not in imports]


@_of_wsdl("R2105", "schemas-have-a-namespace", "A schema without targetNamespace holds imports only")
def namespaces(d):
    return [
        "a schema in wsdl:types has neither a targetNamespace nor imports only"
        for row in d.wsdl.iterfind(f"{W}types/{X}schema")
        if not row.get("targetNamespace")
        and any(child.tag not in (f"{X}import", f"{X}annotation") for child in row.iterchildren("{*}*"))
    ]


@_of_wsdl("R2110", "no-soap-encoding", "No type is made of SOAP's encoded arrays, or named ArrayOf (R2110, R2111, R2112)")
def no_encoding(d):
    rows = [row for root in (*d.in_types, *d.documents.values()) for row in root.iter(f"{X}*")]
    encoded = [row for row in rows if any(description.qualified(row, name)[0] == _ENC for name in ("base", "type", "ref"))]
    named = [row for row in rows if (row.get("name") or "").startswith("ArrayOf")]
    return [f"{row.tag.rpartition('}')[2]} {row.get('name') or row.get('ref') or row.get('base')}" for row in encoded + named]


@_of_wsdl("R2201", "one-part-in-parts", "soapbind:body names at most one part")
def one_part(d):
    return [f"parts={row.get('parts')!r}" for row in d.wsdl.iter(f"{S}body") if len((row.get("parts") or "").split()) > 1]


@_of_wsdl("R2204", "parts-by-element", "Document/literal parts are defined by element, not by type")
def by_element(d):
    return [f"part {part.get('name')}" for part in d.parts() if not part.get("element")]


@_of_wsdl("R2206", "elements-are-global", "The element of a part is declared globally in a schema")
def global_elements(d):
    return [
        f"{local} of {namespace} is declared nowhere"
        for part in d.parts()
        if part.get("element")
        for namespace, local in [description.qualified(part, "element")]
        if (namespace, local) not in d.elements()
    ]


@_of_wsdl("R2209", "parts-are-bound", "Every part of a message is bound")
def bound(d):
    return [f"{row.get('name')} has no soapbind:body" for row in d.wsdl.iterfind(f"{W}binding/{W}operation/*") if
            row.tag in (f"{W}input", f"{W}output") and row.find(f"{S}body") is None]  # fmt: skip


@_of_wsdl("R2210", "one-part-a-message", "A message without parts attribute has at most one part")
def one_part_a_message(d):
    return [f"message {row.get('name')}" for row in d.wsdl.iterfind(f"{W}message") if len(row.findall(f"{W}part")) > 1]


@_of_wsdl("R2303", "no-notifications", "No operation begins with the service's message")
def notifications(d):
    return [f"operation {row.get('name')}" for row in d.operations() if
            [child.tag for child in row if child.tag in (f"{W}input", f"{W}output")][:1] != [f"{W}input"]]  # fmt: skip


@_of_wsdl("R2304", "operation-names-distinct", "The operations of the port type have different names")
def distinct(d):
    names = [row.get("name") for row in d.operations()]
    return sorted({name for name in names if names.count(name) > 1})


@_of_wsdl("R2306", "not-both-type-and-element", "No part has both a type and an element")
def both(d):
    return [f"part {part.get('name')}" for part in d.parts() if part.get("type") and part.get("element")]


@_of_wsdl("R2401", "soap-binding", "The binding is a SOAP 1.1 binding")
def soap_binding(d):
    return [f"binding {row.get('name')}" for row in d.wsdl.iterfind(f"{W}binding") if row.find(f"{S}binding") is None]


@_of_wsdl("R2701", "transport-stated", "The binding states its transport")
def transport(d):
    return ["no transport"] * sum(not row.get("transport") for row in d.wsdl.iter(f"{S}binding"))


@_of_wsdl("R2702", "transport-http", "The transport is HTTP")
def http_transport(d):
    return [f"transport {row.get('transport')}" for row in d.wsdl.iter(f"{S}binding") if row.get("transport") != _HTTP]


@_of_wsdl("R2705", "document-style", "Every operation is document/literal")
def document_style(d):
    rows = [*d.wsdl.iter(f"{S}binding"), *d.wsdl.iter(f"{S}operation")]
    return [f"style {row.get('style')}" for row in rows if row.get("style", "document") != "document"]


@_of_wsdl("R2706", "literal", "use is literal everywhere (R2707: or absent)")
def literal(d):
    rows = [row for name in ("body", "fault", "header", "headerfault") for row in d.wsdl.iter(S + name)]
    return [f"use={row.get('use')!r}" for row in rows if row.get("use", "literal") != "literal"]


@_of_wsdl("R2710", "signatures-distinct", "No two operations have the same request on the wire")
def signatures(d):
    found = [d.body_of(row, "input") for row in d.operations()]
    return [f"two operations take {name}" for name in sorted({str(one) for one in found if found.count(one) > 1})]


@_of_wsdl("R2711", "addresses-distinct", "No two ports have the same address")
def addresses(d):
    found = [row.get("location") for row in d.wsdl.iter(f"{S}address")]
    return sorted({name for name in found if name and found.count(name) > 1})


@_of_wsdl("R2716", "no-namespace-on-bodies", "Document/literal bindings name no namespace")
def no_namespace(d):
    rows = [row for name in ("body", "fault", "header", "headerfault") for row in d.wsdl.iter(S + name)]
    return [f"namespace={row.get('namespace')!r}" for row in rows if row.get("namespace") is not None]


@_of_wsdl("R2718", "binding-has-all-operations", "The binding has the operations of the port type")
def same_operations(d):
    bound_names = sorted(row.get("name") for row in d.wsdl.iterfind(f"{W}binding/{W}operation"))
    names = sorted(row.get("name") for row in d.operations())
    return [] if names == bound_names else ["the operations of the binding are not those of the port type"]


@_of_wsdl("R2721", "faults-are-named", "soapbind:fault has a name, that of its wsdl:fault (R2754), and faults are bound (R2740)")
def fault_names(d):
    faults = [*d.wsdl.iterfind(f"{W}binding/{W}operation/{W}fault")]
    if not faults and any(row.find(f"{W}fault") is not None for row in d.operations()):
        return ["the faults of the port type are not bound"]
    return [f"fault {row.get('name')}" for row in faults if (row.find(f"{S}fault") is None) or
            row.find(f"{S}fault").get("name") != row.get("name")]  # fmt: skip


@_of_wsdl("R2801", "schemas-compile", "The schemas are XML Schema 1.0, to two processors")
def compile_schemas(d):
    return d.compiled()
