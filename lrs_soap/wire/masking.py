"""What may be kept of a message: everything but passwords, wherever they stand and however broken the message is.

P, all of it. A message that can be parsed is masked as a tree; any other by its text, where too much is hidden rather
than too little: what follows the start of an OrgPassword that never ends is not kept.
"""

import codecs
import contextlib
import html
import re
from collections.abc import Collection, Iterable
from typing import NamedTuple

from lxml import etree

from lrs_soap import errors
from lrs_soap.wire import parser, sent

MASK = sent.MASK

# Also OrgPassword misspelt, in other letters, in XML that was escaped into a text, as an attribute or a form's field.
_NAME = r"[\w.:-]*password[\w.-]*"
_LESS, _MORE = r"(?:<|&lt;|&#0*60;|&#x0*3c;)", r"(?:>|&gt;|&#0*62;|&#x0*3e;)"
_PASSWORD_NAME = re.compile("password", re.IGNORECASE)
_ELEMENT = re.compile(
    rf"({_LESS}{_NAME})(?![\w.-])(?!\s*/{_MORE})(.*?)({_LESS}/{_NAME}\s*{_MORE}|\Z)", re.IGNORECASE | re.DOTALL
)
_INSTRUCTION = re.compile(rf"(<\?{_NAME})(.*?)(\?>|\Z)", re.IGNORECASE | re.DOTALL)
_BETWEEN_TAGS = re.compile(r">([^<>]*)<")
_READABLE = re.compile("<[a-z?!]|password", re.IGNORECASE)
_UNREADABLE = "[in no encoding that is known: not shown]"
_VALUE = re.compile(r"""(password["']?\s*[=:]\s*)("[^"]*"?|'[^']*'?|[^\s&<>"',;]+)""", re.IGNORECASE)


class Shown(NamedTuple):
    """A message fit to be kept. text: pretty-printed if it was XML; secrets: the passwords found in it."""

    text: str
    secrets: frozenset[str]


def message(data: bytes, charset: str | None, secrets: Iterable[str] = ()) -> Shown:
    """The message `data` without passwords: those in it, and those of `secrets` wherever they stand.

    charset: of the Content-Type, if it names one.
    """
    try:
        root = parser.parse(data, charset)
    except errors.InvalidRequest:
        raw = _decoded(data, charset)
        try:  # it may be only the encoding that is wrong
            root = parser.parse(raw.encode("utf-8", "replace"), "utf-8")
        except errors.InvalidRequest:
            return _unparsed(raw, frozenset(secrets))
    found = _mask_tree(root, frozenset(secrets))
    etree.indent(root)
    return Shown(etree.tostring(root, encoding="unicode"), found)


def text(raw: str, secrets: Iterable[str] = ()) -> str:
    """`raw` without what looks like a password, and without `secrets`, however their letters are written."""
    return _masked(raw, _any_of(secrets))


def _masked(raw: str, secret: re.Pattern | None) -> str:
    if _PASSWORD_NAME.search(raw):
        raw = _ELEMENT.sub(lambda found: f"{found[1]}>{MASK}{found[3]}", raw)
        raw = _INSTRUCTION.sub(lambda found: f"{found[1]} {MASK}{found[3]}", raw)
        raw = _VALUE.sub(lambda found: found[1] + MASK, raw)
    return secret.sub(MASK, raw) if secret else raw


def _any_of(secrets: Iterable[str]) -> re.Pattern | None:
    """What finds any of the secrets, also with character references in the place of letters."""
    longest_first = sorted({one for one in secrets if one}, key=len, reverse=True)
    return re.compile("|".join("".join(map(_written, one)) for one in longest_first)) if longest_first else None


def _written(letter: str) -> str:
    named = {"&": "|&amp;", "<": "|&lt;", ">": "|&gt;", "'": "|&apos;", '"': "|&quot;"}.get(letter, "")
    return f"(?:{re.escape(letter)}|&#0*{ord(letter)};|&#[xX]0*(?i:{ord(letter):x});{named})"


def _unparsed(raw: str, more: frozenset[str]) -> Shown:
    texts = [html.unescape(match[2].partition(">")[2]) for match in _ELEMENT.finditer(raw)]
    found = frozenset(_long(texts))
    shown = text(raw, found | more)
    if _is_astray(texts):
        shown = _BETWEEN_TAGS.sub(lambda it: f">{MASK}<" if _has_its_length(html.unescape(it[1])) else it[0], shown)
    return Shown(shown, found)


def _has_its_length(text: str) -> bool:
    return len(text.strip()) == sent.PASSWORD_LENGTH


def _is_astray(texts: Collection[str]) -> bool:
    """As in faults: if no OrgPassword has its length, it may have changed places with another value."""
    return bool(texts) and not any(map(_has_its_length, texts))


def _long(texts: Iterable[str]) -> set[str]:
    """Those that could be passwords: masking what contains a shorter text would hide the message."""
    return {one.strip() for one in texts if len(one.strip()) >= sent.SHORTEST_SECRET}


def _mask_tree(root: etree._Element, more: frozenset[str]) -> frozenset[str]:
    """Masks the passwords in the tree and gives them."""
    inside: set[etree._Element] = set()
    texts: set[str] = set()
    for element in root.iter(etree.Element):
        if _PASSWORD_NAME.search(etree.QName(element).localname):
            texts.add("".join(element.itertext()))
            texts.update(element.itertext())
            inside.update(element.iter())
    found = frozenset(_long(texts))
    astray = _is_astray(texts)
    secret = _any_of(found | more)
    for element in root.iter(etree.Element):
        for name, value in element.attrib.items():
            element.set(name, MASK if _PASSWORD_NAME.search(etree.QName(name).localname) else _masked(value, secret))
        if element in inside:
            element.text = MASK if element.text else element.text
        elif element.text:
            lost = astray and not len(element) and _has_its_length(element.text)
            element.text = MASK if lost else _masked(element.text, secret)
        if element.tail and element.tail.strip():
            element.tail = MASK if element.getparent() in inside else _masked(element.tail, secret)
    return found


def _decoded(data: bytes, charset: str | None) -> str:
    """`data` as text in which a tag can be seen as one, whatever encoding it is in or says it is in."""
    names = ["utf-8"]
    with contextlib.suppress(errors.InvalidRequest):
        names.insert(0, parser.codec_of(data, charset))
    for name in names:
        try:
            decoded = codecs.decode(data, name)
        except ValueError:
            continue
        # Text in another encoding than it says has none of these, or has NUL between all letters.
        if "\0" not in decoded and any(mark in decoded for mark in "<=&{"):
            return decoded.removeprefix("\N{ZERO WIDTH NO-BREAK SPACE}")
    raw = data.replace(b"\0", b"").decode("latin-1")
    # EBCDIC, say: a password could be in it that nothing here would recognise.
    return raw if raw.isascii() or _READABLE.search(raw) else _UNREADABLE
