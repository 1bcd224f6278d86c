"""What may be kept of a message: everything but passwords, wherever they stand and however broken the message is.

P, all of it. A message that can be parsed is masked as a tree; any other by its text, where too much is hidden rather
than too little: what follows the start of an OrgPassword that never ends is not kept.
"""

import codecs
import re
from collections.abc import Iterable
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
        found = frozenset(_long(match[2].partition(">")[2] for match in _ELEMENT.finditer(raw)))
        return Shown(text(raw, found.union(secrets)), found)
    found = _mask_tree(root, frozenset(secrets))
    etree.indent(root)
    return Shown(etree.tostring(root, encoding="unicode"), found)


def text(raw: str, secrets: Iterable[str] = ()) -> str:
    """`raw` without what looks like a password, and without `secrets`."""
    if _PASSWORD_NAME.search(raw):
        raw = _ELEMENT.sub(lambda found: f"{found[1]}>{MASK}{found[3]}", raw)
        raw = _VALUE.sub(lambda found: found[1] + MASK, raw)
    for secret in sorted(secrets, key=len, reverse=True):
        raw = raw.replace(secret, MASK)
    return raw


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
    # As in faults: if no OrgPassword has its length, it may have changed places with another value.
    astray = bool(texts) and all(len(one.strip()) != sent.PASSWORD_LENGTH for one in texts)
    secrets = found | more
    for element in root.iter(etree.Element):
        for name, value in element.attrib.items():
            element.set(name, MASK if _PASSWORD_NAME.search(etree.QName(name).localname) else text(value, secrets))
        if element in inside:
            element.text = MASK if element.text else element.text
        elif element.text:
            lost = astray and not len(element) and len(element.text.strip()) == sent.PASSWORD_LENGTH
            element.text = MASK if lost else text(element.text, secrets)
        if element.tail and element.tail.strip():
            element.tail = MASK if element.getparent() in inside else text(element.tail, secrets)
    return found


def _decoded(data: bytes, charset: str | None) -> str:
    """`data` as text in which a tag can be seen as one, whatever encoding it is in or says it is in."""
    names = ["utf-8"]
    try:
        names.insert(0, parser.codec_of(data, charset))
    except errors.InvalidRequest:
        pass
    for name in names:
        try:
            decoded = codecs.decode(data, name)
        except ValueError:
            continue
        # Text in another encoding than it says has none of these, or has NUL between all letters.
        if "\0" not in decoded and any(mark in decoded for mark in "<=&{"):
            return decoded.removeprefix("\N{ZERO WIDTH NO-BREAK SPACE}")
    return data.replace(b"\0", b"").decode("latin-1")
