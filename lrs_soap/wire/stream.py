"""The one XML door for documents too long to hold: the same refusals as `parser`, an element at a time."""

import codecs
from collections.abc import Iterator
from typing import BinaryIO

from lxml import etree

from lrs_soap.wire import parser

_CHUNK = 64 * 1024


def elements(file: BinaryIO, depth: int = 2) -> Iterator[tuple[str, etree._Element]]:
    """("start", the root), then ("end", element) for each element `depth` levels deep, counted from the root's 1.

    An element is gone when the next is asked for, so memory does not grow with the document; comments are gone too.
    file: as `parser.parse` takes its bytes, in any encoding that it takes. Raises errors.InvalidRequest, its reason
    one of parser.REASONS.
    """
    pull = etree.XMLPullParser(
        ("start", "end", "pi"),
        encoding="utf-8",  # outranks the declaration, which may still name what the file was written in
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        attribute_defaults=False,
        huge_tree=False,
        remove_comments=True,
        # Not collect_ids=False, which makes lxml 6 with libxml2 2.14 open an external DTD, load_dtd=False or not.
    )
    level = 0
    for chunk in _utf8(file):
        _feed(pull, chunk)
        for event, element in pull.read_events():
            if event == "pi":
                raise parser.invalid(
                    "processing-instruction", "Processing instructions are not accepted", element.sourceline
                )
            if event == "start":
                level += 1
                if level == 1:
                    _refuse_doctype(element)
                    yield event, element
            else:
                if level == depth:
                    yield event, element
                    _forget(element)
                level -= 1


def _feed(pull: etree.XMLPullParser, chunk: bytes) -> None:
    try:
        if chunk:
            pull.feed(chunk)
        else:
            pull.close()
    except etree.XMLSyntaxError as error:
        # The exception may be about the end of what could be read; the log says what came first.
        found = [entry for entry in pull.feed_error_log if entry.level >= etree.ErrorLevels.ERROR]
        first = etree.XMLSyntaxError("", found[0].type, found[0].line, found[0].column) if found else error
        raise parser.syntax_error(b"<", first) from None  # the cause names content


def _utf8(file: BinaryIO) -> Iterator[bytes]:
    """The file in UTF-8, and b"" at its end."""
    head = file.read(_CHUNK)
    if not head.strip():
        raise parser.invalid("empty", "The document is empty")
    decoder = codecs.getincrementaldecoder(parser.codec_of(head, None))()
    chunk, first = head, True
    while True:
        try:
            text = decoder.decode(chunk, final=not chunk)
        except UnicodeError:
            raise parser.invalid("encoding", "The document is not in the encoding it states") from None
        if first:
            text, first = _without_declaration(text.removeprefix("\ufeff")), False
        if text:
            yield text.encode("utf-8", "surrogatepass")
        if not chunk:
            break
        chunk = file.read(_CHUNK)
    yield b""


def _without_declaration(text: str) -> str:
    """`text` with blanks for an XML declaration, which XML wants at the very start: they keep line and column true."""
    if not text.lstrip().startswith("<?xml"):
        return text
    end = text.find("?>") + 2
    return "".join(character if character.isspace() else " " for character in text[:end]) + text[end:]


def _refuse_doctype(root: etree._Element) -> None:
    if root.getroottree().docinfo.doctype:
        raise parser.invalid("doctype", "A document type declaration (DOCTYPE) is not accepted", 1)


def _forget(element: etree._Element) -> None:
    element.clear()
    parent = element.getparent()
    while parent is not None and parent[0] is not element:
        del parent[0]
