"""What the Basic Profile says of messages: of every reply of the run."""

import re
from typing import Any

from lrs_soap import contract
from lrs_soap.conformance import case, census, messages, replies

BOOK = case.Book(case.Part.PROFILE)
_SOAP = f"{{{messages.ENVELOPE}}}"
_CHILDREN = ["faultcode", "faultstring", "faultactor", "detail"]
_CODES = ("Client", "Server", "MustUnderstand", "VersionMismatch")
_LAST = {"last": True}


def _local(element: Any) -> str:
    return str(element.tag).rpartition("}")[2]


@BOOK.case("R1000-fault-children", "R1000", **_LAST)
def fault_children(talk):
    """A fault has no other children than faultcode, faultstring, faultactor and detail"""
    census.every(talk, lambda heard: _unless(
        [_local(child) for child in heard.fault if _local(child) not in _CHILDREN], "the fault has the child {}"
    ), census.is_fault)  # fmt: skip


@BOOK.case("R1001-fault-children-unqualified", "R1001", **_LAST)
def fault_children_unqualified(talk):
    """The children of a fault are in no namespace"""
    census.every(talk, lambda heard: _unless(
        [child.tag for child in heard.fault if "}" in child.tag], "the child {} of the fault is in a namespace"
    ), census.is_fault)  # fmt: skip


@BOOK.case("R1004-faultcode-known", "R1004", **_LAST)
def faultcode_known(talk):
    """A faultcode is a qualified name: one of the four that SOAP 1.1 defines, or of another namespace"""

    def wrong(heard):
        code = heard.fault.find("faultcode")
        if code is None:
            return "the fault has no faultcode"
        prefix, _, local = (code.text or "").strip().rpartition(":")
        namespace = code.nsmap.get(prefix or None)
        if namespace is None:
            return f"{code.text!r} is in no namespace"
        unknown = namespace == messages.ENVELOPE and local.partition(".")[0] not in _CODES
        return _unless([local] if unknown else [], "SOAP 1.1 has no faultcode {}")

    census.every(talk, wrong, census.is_fault)


@BOOK.case("R1005-no-encoding-style-on-envelope", "R1005", **_LAST)
def no_encoding_style(talk):
    """No encodingStyle stands on the elements of the envelope"""
    census.every(talk, lambda heard: _encoded(element for element in heard.root.iter() if
                                              str(element.tag).startswith(_SOAP)))  # fmt: skip


@BOOK.case("R1006-no-encoding-style-in-body", "R1006", **_LAST)
def no_encoding_style_in_body(talk):
    """No encodingStyle stands on a child of the Body"""
    census.every(talk, lambda heard: _encoded(heard.root.iterfind(f"{replies.BODY}/*")))


@BOOK.case("R1008-no-dtd", "R1008", **_LAST)
def no_dtd(talk):
    """No reply has a document type declaration"""
    for exchange in census.heard(talk):
        if b"<!DOCTYPE" in exchange.body and b"Envelope" in exchange.body:
            talk.exchanges.append(exchange)
            raise case.Failed("a reply has a document type declaration")


@BOOK.case("R1009-no-processing-instruction", "R1009", **_LAST)
def no_processing_instruction(talk):
    """No reply has a processing instruction"""
    for exchange in census.heard(talk):
        if b"Envelope" in exchange.body and re.search(rb"<\?(?!xml\s)", exchange.body):
            talk.exchanges.append(exchange)
            raise case.Failed("a reply has a processing instruction")


@BOOK.case("R1011-nothing-after-body", "R1011", **_LAST)
def nothing_after_body(talk):
    """Nothing follows the Body of a reply"""
    census.every(talk, lambda heard: _unless(
        [] if len(heard.root) and heard.root[-1].tag == replies.BODY else ["x"], "the Body is not the last of the envelope"
    ))  # fmt: skip


@BOOK.case("R1012-utf-8-or-utf-16", "R1012", **_LAST)
def encoding(talk):
    """Replies are in UTF-8 or UTF-16"""

    def wrong(heard):
        declared = re.match(rb"""<\?xml[^>]*encoding=["']([^"']+)""", heard.exchange.body)
        name = declared[1].decode("latin-1").lower() if declared else "utf-8"
        if name not in ("utf-8", "utf-16"):
            return f"a reply declares the encoding {name}"
        try:
            heard.exchange.body.decode(name)
        except UnicodeError:
            return f"a reply is not in {name}, which it declares"
        return None

    census.every(talk, wrong)


@BOOK.case("R1013-must-understand-0-or-1", "R1013", **_LAST)
def must_understand_lexical(talk):
    """mustUnderstand in a reply is 0 or 1"""
    census.every(talk, lambda heard: _unless(
        [value for element in heard.root.iter() if (value := element.get(f"{_SOAP}mustUnderstand")) not in (None, "0", "1")],
        "mustUnderstand is {}",
    ))  # fmt: skip


@BOOK.case("R1014-body-children-qualified", "R1014", **_LAST)
def body_qualified(talk):
    """The children of the Body are in a namespace"""
    census.every(talk, lambda heard: _unless(
        [child.tag for child in heard.root.iterfind(f"{replies.BODY}/*") if "}" not in child.tag],
        "the child {} of the Body is in no namespace",
    ))  # fmt: skip


@BOOK.case("R1018-charset-in-content-type", "R1018", **_LAST)
def charset(talk):
    """The Content-Type of a reply is text/xml with the charset that it is in"""

    def wrong(heard):
        kind, _, parameters = heard.exchange.header("content-type").lower().partition(";")
        if kind.strip() != "text/xml":
            return f"the Content-Type of a reply is {kind.strip() or 'absent'}"
        named = re.search(r"""charset\s*=\s*["']?([\w-]+)""", parameters)
        return None if named and named[1] in ("utf-8", "utf-16") else f"the charset of a reply is {named and named[1]}"

    census.every(talk, wrong)


@BOOK.case("R1031-no-dot-in-faultcode", "R1031", **_LAST)
def no_dot(talk):
    """A faultcode is not refined with a dot"""
    census.every(talk, lambda heard: _unless(
        [code for code in [heard.fault.findtext("faultcode") or ""] if "." in code], "the faultcode is {}"
    ), census.is_fault)  # fmt: skip


@BOOK.case("R1032-no-soap-attributes-on-soap-elements", "R1032", **_LAST)
def no_soap_attributes(talk):
    """Envelope and Body carry no attribute of SOAP's own namespace"""
    census.every(talk, lambda heard: _unless(
        [name for element in (heard.root, *heard.root) for name in element.attrib if name.startswith(_SOAP)],
        "the envelope has the attribute {}",
    ))  # fmt: skip


@BOOK.case("R1111-200-for-a-reply", "R1111 R1124", **_LAST)
def status_200(talk):
    """A reply that is no fault comes with HTTP 200"""
    census.every(talk, lambda heard: _unless(
        [heard.exchange.status] if heard.exchange.status != 200 else [], "a reply came with HTTP {}"
    ), lambda heard: not census.is_fault(heard))  # fmt: skip


@BOOK.case("R1126-500-for-a-fault", "R1126", **_LAST)
def status_500(talk):
    """A fault comes with HTTP 500, whoever made the mistake"""
    census.every(talk, lambda heard: _unless(
        [heard.exchange.status] if heard.exchange.status != 500 else [], "a fault came with HTTP {}"
    ), census.is_fault)  # fmt: skip


@BOOK.case("R2301-one-body-child", "R2201 R2301 R2712", **_LAST)
def one_child(talk):
    """The Body of a reply holds one element: a fault, or the one that the WSDL names for the operation"""
    known = {operation.response for operation in contract.OPERATIONS.values()} | {replies.FAULT}

    def wrong(heard):
        entries = heard.root.findall(f"{replies.BODY}/*")
        if len(entries) != 1:
            return f"the Body holds {len(entries)} elements"
        return None if entries[0].tag in known else f"{entries[0].tag} is no reply of the WSDL"

    census.every(talk, wrong)


@BOOK.case("R2712-reply-of-the-operation", "R2712", **_LAST)
def reply_of_operation(talk):
    """A call is answered with the reply element of its own operation"""
    requests = {row.request.encode(): row for row in contract.OPERATIONS.values()}

    def wrong(heard):
        for name, row in requests.items():
            namespace, local = name[1:].split(b"}")
            if b'xmlns:m="' + namespace in heard.exchange.sent and b"<m:" + local + b" " in heard.exchange.sent:
                return None if heard.entry.tag == row.response else f"{row.name} was answered with {heard.entry.tag}"
        return None

    census.every(talk, wrong, lambda heard: heard.entry is not None and not census.is_fault(heard))


def _unless(found: list, message: str) -> str | None:
    return message.format(case.brief(str(found[0]))) if found else None


def _encoded(elements: Any) -> str | None:
    return _unless([element.tag for element in elements if element.get(f"{_SOAP}encodingStyle") is not None],
                   "{} has an encodingStyle")  # fmt: skip
