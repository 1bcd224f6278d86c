"""The one XML door: bytes from the network become an element here and nowhere else.

D behaviour.md, "HTTP and SOAP": UTF-8, UTF-16 and ISO-8859-1, with or without declaration and BOM, with comments,
CDATA, character references and white space around; a DTD, an entity, a processing instruction or anything that is
not XML is an invalid request (WSEC0001).

Every other encoding is turned into UTF-8 before libxml2 sees it, so there is one code path behind this door and one
way to look for a DOCTYPE. No message repeats content: only what is wrong, and where.
"""

import codecs
import re
import threading

from lxml import etree

from lrs_soap import errors

# P: US-ASCII and windows-1252 too. Many Windows programs send windows-1252; under the name ISO-8859-1 it stays
# ISO-8859-1, because the sender said so. Values are Python codecs; "utf-16" stands for either byte order.
CHARSETS = {
    "utf-8": "utf-8",
    "utf8": "utf-8",
    "us-ascii": "ascii",
    "ascii": "ascii",
    "ansi_x3.4-1968": "ascii",
    "utf-16": "utf-16",
    "utf-16le": "utf-16-le",
    "utf-16be": "utf-16-be",
    "iso-8859-1": "iso-8859-1",
    "iso8859-1": "iso-8859-1",
    "iso_8859-1": "iso-8859-1",
    "latin1": "iso-8859-1",
    "windows-1252": "cp1252",
    "cp1252": "cp1252",
}

# P: bounds beyond libxml2's own (256 levels, 10 MB for one text). The largest request of the contract, a batch of 200
# learners with all 26 elements and a comment on each, has 16,000 marks.
MAX_MARKS = 200_000
MAX_ATTRIBUTES = 100_000
# Namespace declarations times attributes: libxml2 looks through those in scope one by one, for every attribute. The
# batch with a declaration and an attribute on every element has 60 million; this many take half a second.
MAX_LOOKS = 250_000_000

_DECLARATION = re.compile(rb"""<\?xml\s(?:[^>]*?\sencoding\s*=\s*["']([^"'>]*)["'])?[^>]*\?>""")
_BEFORE_DOCTYPE = re.compile(rb"(?:[^<]++|<!--.*?-->|<\?.*?\?>)*+<!DOCTYPE", re.DOTALL)
_ATTRIBUTE = re.compile(rb"""=\s*["']""")

_BOMS = (  # UTF-32 first: its little-endian mark begins like that of UTF-16
    (codecs.BOM_UTF32_LE, None),
    (codecs.BOM_UTF32_BE, None),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)

_SYNTAX = {
    "ERR_DOCUMENT_EMPTY": ("not-xml", "The message is not XML: it does not begin with a start tag"),
    "ERR_DOCUMENT_END": ("not-well-formed", "Nothing may follow the root element"),
    "ERR_INVALID_ENCODING": ("encoding", "A byte sequence is invalid in UTF-8"),
    "ERR_INVALID_CHAR": ("illegal-character", "A character is not allowed in XML"),
    "ERR_UNDECLARED_ENTITY": ("entity", "Entities are not accepted"),
    "ERR_ENTITYREF_SEMICOL_MISSING": ("not-well-formed", "An ampersand must be written as &amp;"),
    "ERR_NAME_REQUIRED": ("not-well-formed", "A name was expected; a plain < or & must be written as &lt; or &amp;"),
    "ERR_TAG_NAME_MISMATCH": ("not-well-formed", "A start tag and its end tag differ"),
    "ERR_TAG_NOT_FINISHED": ("not-well-formed", "The message ends inside an element"),
    "ERR_ATTRIBUTE_REDEFINED": ("not-well-formed", "An attribute is given twice"),
    "NS_ERR_UNDEFINED_NAMESPACE": ("not-well-formed", "A namespace prefix is not declared"),
    "ERR_RESOURCE_LIMIT": ("too-complex", "The message is nested too deeply or a text is too long"),
    "ERR_NAME_TOO_LONG": ("too-complex", "A name is too long"),
    "ERR_UNKNOWN_VERSION": ("not-well-formed", "Only XML version 1.0 is accepted"),
}
_NOT_WELL_FORMED = ("not-well-formed", "The message is not well-formed XML")

# The words a log may hold for what was refused here.
REASONS = frozenset(
    {reason for reason, _ in _SYNTAX.values()} | {"empty", "doctype", "processing-instruction", "unknown-encoding"}
)

PLAIN = frozenset({"utf-8", "UTF-8"})


class _Thread(threading.local):
    """Each thread's own parser: one that is shared makes threads wait for each other."""

    def __init__(self):
        self.parser = etree.XMLParser(
            encoding="utf-8",  # outranks the declaration, which may still name what the sender used
            resolve_entities=False,
            no_network=True,
            load_dtd=False,
            dtd_validation=False,
            attribute_defaults=False,
            huge_tree=False,
            remove_comments=True,
        )


_thread = _Thread()


def parse(data: bytes, charset: str | None = None) -> etree._Element:
    """The root element of the XML document `data`.

    charset: the charset parameter of the HTTP Content-Type, which outranks (in this order) a byte order mark, the
    XML declaration and the default, UTF-8. Comments are gone from the result and the text around them is joined.
    Raises errors.InvalidRequest, its reason one of REASONS.
    """
    # The plain case costs little: bytes that begin with a tag, said or assumed to be UTF-8, short, and
    # without the two characters that everything else to be refused needs.
    if data[:1] != b"<" or (charset not in PLAIN if charset else data[1:2] in b"?\0"):
        data = _as_utf8(data, charset)
    if len(data) > MAX_ATTRIBUTES:
        _refuse_excess(data)
    if b"!" in data and b"<!DOCTYPE" in data:
        _refuse_doctype(data)
    try:
        root = etree.fromstring(data, _thread.parser)
    except etree.XMLSyntaxError as error:
        raise syntax_error(data, error) from None  # the cause names content
    # A declaration has two question marks, its ends.
    if (marks := data.count(b"?")) and (marks != 2 or data[:6] != b"<?xml ") and data.find(b"?", _end_of_declaration(data)) >= 0:
        _refuse_processing_instruction(root)
    return root


def _as_utf8(data: bytes, charset: str | None) -> bytes:
    """`data` in UTF-8, without a byte order mark and with nothing but white space before an XML declaration's place."""
    codec = codec_of(data, charset)
    if codec != "utf-8":
        try:
            data = data.decode(codec).encode("utf-8")
        except UnicodeError:
            raise invalid("encoding", "The message is not in the encoding it states") from None
    if data.startswith(codecs.BOM_UTF8):
        data = data[3:]
    if data[:1].isspace() and data.lstrip().startswith(b"<?xml"):
        # XML wants a declaration at the very start. Blanks in its place keep line and column true.
        data = _DECLARATION.sub(lambda found: re.sub(rb"\S", b" ", found[0]), data, count=1)
    return data


def codec_of(data: bytes, charset: str | None) -> str:
    """The Python codec of a document that begins with `data`. Raises errors.InvalidRequest for one not accepted."""
    if charset is not None and (charset := charset.strip(" \t\"'")):
        codec = _known(charset)
        return _byte_order(data) if codec == "utf-16" else codec
    for bom, codec in _BOMS:
        if data.startswith(bom):
            if codec is None:
                raise invalid("unknown-encoding", "The encoding UTF-32 is not accepted")
            return codec
    if b"\0" in data[:2]:
        if data.startswith((b"\0\0", b"<\0\0")):
            raise invalid("unknown-encoding", "The encoding UTF-32 is not accepted")
        return _byte_order(data)
    if data.startswith(b"\x4c\x6f\xa7\x94"):
        raise invalid("unknown-encoding", "The encoding EBCDIC is not accepted")
    declaration = _DECLARATION.match(data.lstrip() if data[:1].isspace() else data)
    if declaration is None or declaration[1] is None:
        return "utf-8"
    codec = _known(declaration[1].decode("ascii", "replace"))
    # P: these bytes cannot be UTF-16. .NET writes that declaration when a program serialises into a string first
    # and sends the string as UTF-8, so that is what they are.
    return "utf-8" if codec.startswith("utf-16") else codec


def _known(charset: str) -> str:
    try:
        return CHARSETS[charset.lower()]
    except KeyError:
        raise invalid(
            "unknown-encoding", "The encoding is not accepted; send UTF-8, UTF-16, ISO-8859-1 or windows-1252"
        ) from None


def _byte_order(data: bytes) -> str:
    """The byte order of UTF-16: the mark's, or else the one that makes the first character one byte wide."""
    if data.startswith(codecs.BOM_UTF16_BE) or data[:1] == b"\0":
        return "utf-16-be"
    return "utf-16-le"


def _refuse_excess(data: bytes) -> None:
    if data.count(b"<") > MAX_MARKS:
        raise invalid("too-complex", "The message has too many elements")
    attributes = data.count(b"=")
    if attributes > MAX_ATTRIBUTES and sum(1 for _ in _ATTRIBUTE.finditer(data)) > MAX_ATTRIBUTES:
        raise invalid("too-complex", "The message has too many attributes")
    if data.count(b"xmlns") * attributes > MAX_LOOKS:
        raise invalid("too-complex", "The message has too many namespace declarations")


def _refuse_doctype(data: bytes) -> None:
    """Raise if `data` has a document type declaration; the same letters in CDATA, a comment or a value are harmless."""
    found = _BEFORE_DOCTYPE.match(data)
    if found:
        before = data[: found.end() - len(b"<!DOCTYPE")].decode("utf-8", "replace")
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        raise invalid("doctype", "A document type declaration (DOCTYPE) is not accepted", line, column)


def _end_of_declaration(data: bytes) -> int:
    return data.find(b"?>") + 2 if data[:5] == b"<?xml" and data[5:6].isspace() else 0


def _refuse_processing_instruction(root: etree._Element) -> None:
    for places in (root.itersiblings(etree.PI, preceding=True), root.iter(etree.PI), root.itersiblings(etree.PI)):
        for node in places:
            raise invalid("processing-instruction", "Processing instructions are not accepted", node.sourceline)


def syntax_error(data: bytes, error: etree.XMLSyntaxError) -> errors.InvalidRequest:
    """libxml2's error in our words, which name no content."""
    if not data or data.isspace():
        return invalid("empty", "The message is empty")
    kind = etree.ErrorTypes._getName(error.code, "")
    reason, what = _SYNTAX.get(kind, _NOT_WELL_FORMED)
    return invalid(reason, what, *error.position)


def invalid(reason: str, what: str, line: int | None = None, column: int | None = None) -> errors.InvalidRequest:
    """The exception that says what is wrong, and where."""
    where = "" if line is None else f" (line {line})" if column is None else f" (line {line}, column {column})"
    return errors.InvalidRequest(f"{what}{where}.", reason)
