"""The WSDL and the schemas of a service, read from its URL without trusting them."""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urldefrag, urljoin

import xmlschema
from lxml import etree

from lrs_soap import errors
from lrs_soap.conformance import case, wire
from lrs_soap.wire import parser

W = "{http://schemas.xmlsoap.org/wsdl/}"
S = "{http://schemas.xmlsoap.org/wsdl/soap/}"
X = "{http://www.w3.org/2001/XMLSchema}"
_MOST_DOCUMENTS = 40


class Description:
    """A WSDL and what it imports. wsdl: its root. documents: the roots of the schemas, by URL. raw: (URL, root, bytes) of
    all. in_types: schemas that stand in the WSDL itself."""

    def __init__(self, wsdl_url: str, wsdl: Any, documents: dict[str, Any], raw: list[tuple[str, Any, bytes]]):
        self.wsdl_url, self.wsdl, self.documents, self.raw = wsdl_url, wsdl, documents, raw
        self.in_types = list(wsdl.iterfind(f"{W}types/{X}schema"))

    def operations(self) -> list[Any]:
        """The operations of the port type."""
        return self.wsdl.findall(f"{W}portType/{W}operation")

    def parts(self) -> list[Any]:
        """The parts of all messages."""
        return self.wsdl.findall(f"{W}message/{W}part")

    def schemas(self) -> Iterator[Any]:
        """Every schema that has a target namespace."""
        yield from (root for root in (*self.in_types, *self.documents.values()) if root.get("targetNamespace"))

    def elements(self) -> set[tuple[str, str]]:
        """Namespace and name of every global element."""
        return {(root.get("targetNamespace"), row.get("name")) for root in self.schemas() for row in root.iterfind(f"{X}element")}

    def message(self, row: Any, direction: str) -> Any:
        """The message of an operation's input, output or fault, or None."""
        found = row.find(W + direction)
        if found is None or not found.get("message"):
            return None
        name = qualified(found, "message")[1]
        return next((message for message in self.wsdl.iterfind(f"{W}message") if message.get("name") == name), None)

    def body_of(self, row: Any, direction: str) -> tuple[str | None, str] | None:
        """Namespace and name of the element of an operation's message, or None."""
        message = self.message(row, direction)
        part = None if message is None else message.find(f"{W}part")
        return None if part is None or not part.get("element") else qualified(part, "element")

    def compiled(self) -> list[str]:
        """What two processors have against the schemas: nothing, if all is well."""
        here = {f"{self.wsdl_url}&types={n}": root for n, root in enumerate(self.in_types) if root.get("targetNamespace")}
        texts = {url: data for url, root, data in self.raw if root.tag == f"{X}schema"}
        texts |= {url: etree.tostring(root, with_tail=False) for url, root in here.items()}
        if not texts:
            return ["there is no schema"]
        imports = "".join(
            f'<xs:import namespace="{root.get("targetNamespace")}" schemaLocation="{url.replace("&", "&amp;")}"/>'
            for url, root in (self.documents | here).items()
        )
        everything = f'<xs:schema xmlns:xs="{X[1:-1]}">{imports}</xs:schema>'
        problems = []
        try:
            loader = etree.XMLParser(resolve_entities=False, no_network=True)
            loader.resolvers.add(_Known(texts))
            etree.XMLSchema(etree.fromstring(everything, loader, base_url=self.wsdl_url))
        except (etree.XMLSchemaParseError, etree.XMLSyntaxError) as error:
            problems.append(f"lxml: {error}")
        try:
            sources = [data.decode("utf-8-sig") for data in texts.values()]
            xmlschema.XMLSchema([_without_locations(text) for text in sources], allow="none", defuse="always")
        except (xmlschema.XMLSchemaException, UnicodeError, etree.XMLSyntaxError, ValueError, SyntaxError) as error:
            problems.append(f"xmlschema: {type(error).__name__}: {str(error)[:150]}")
        return problems


class _Known(etree.Resolver):
    """Gives lxml what was fetched, and nothing else."""

    def __init__(self, texts: dict[str, bytes]):
        self._texts = texts

    def resolve(self, system_url, public_id, context):
        if system_url in self._texts:
            return self.resolve_string(self._texts[system_url], context, base_url=system_url)
        return self.resolve_empty(context)


def _without_locations(text: str) -> str:
    """A schema whose imports name no place: all are given at once."""
    return re.sub(r"""\sschemaLocation\s*=\s*("[^"]*"|'[^']*')""", "", re.sub(r"^\s*<\?xml.*?\?>", "", text))


def read(talk: Any) -> Description:
    """The description of the service, fetched once in a run. Raises Failed if it is not all there."""
    fetched = talk.document()
    wsdl = root_of(fetched)
    if wsdl.tag != f"{W}definitions":
        raise case.Failed(f"?wsdl gives {case.brief(str(wsdl.tag))}, not wsdl:definitions")
    raw, documents = [(fetched.url, wsdl, fetched.body)], {}
    waiting = [(fetched.url, row) for row in wsdl.iterfind(f"{W}types/{X}schema/{X}import")]
    while waiting:
        base, row = waiting.pop(0)
        if not row.get("schemaLocation"):
            continue
        url = urldefrag(urljoin(base, row.get("schemaLocation"))).url
        if url in documents:
            continue
        case.require(len(documents) < _MOST_DOCUMENTS, f"the WSDL leads to more than {_MOST_DOCUMENTS} documents")
        exchange = talk.document(url)
        documents[url] = root_of(exchange)
        raw.append((url, documents[url], exchange.body))
        waiting += [(url, found) for kind in ("import", "include") for found in documents[url].iterfind(X + kind)]
    return Description(fetched.url, wsdl, documents, raw)


def root_of(exchange: wire.Exchange) -> Any:
    """The root of a document of the description; processing instructions may stand there. Raises Failed."""
    try:
        return parser.parse(re.sub(rb"<\?(?!xml\s).*?\?>", b"", exchange.body, flags=re.DOTALL))
    except errors.InvalidRequest as error:
        raise case.Failed(f"{case.brief(exchange.url)} is not XML: {error.further_details}") from None


def qualified(row: Any, attribute: str) -> tuple[str | None, str]:
    """Namespace and local name of the prefixed name in an attribute."""
    prefix, _, local = (row.get(attribute) or "").rpartition(":")
    return row.nsmap.get(prefix or None), local
