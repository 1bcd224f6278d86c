"""Changes to messages that keep most of their structure, so that the fuzzer gets behind the first check.

Every change works on the tags, texts and attributes of a message as text: it need not be XML before, nor after.
"""

import random
import re
from collections.abc import Callable, Sequence

from lrs_soap import contract

# No part is looked for beyond the next <, and names are possessive: a mutation takes no longer than its message is long.
_PART = re.compile(rb"<!--[^<]*-->|<!\[CDATA\[[^<]*\]\]>|<[^<>]*+>|[^<]++|<")
_ELEMENT = re.compile(rb"<([\w:]++)[^<>]*+>[^<]*+</\1>")
_XSI = b' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'

_NAMES = sorted({field.name.encode() for type_ in contract.TYPES.values() for field in type_.fields})
_TYPES = sorted(name.encode() for name in (*contract.TYPES, *contract.SIMPLE_TYPES))
_VALUES = (
    b"", b" ", b"\t\r\n", b"0", b"1", b"-1", b"9999999999", b"9276308686", b"2147483648", b"1900-02-29", b"2026-11-24",
    b"0000-00-00", b"FUL", b"CHK", b"&#0;", b"&#xD;", b"&#x85;", b"&#x2028;", b"&#65533;", b"&#x10FFFF;", b"&amp;amp;",
    b"]]>", b"&x;", b"<![CDATA[<&]]>", b"a<!--b-->c", b"' OR 1=1 --", b"%s%n{0}${x}", b"\xc3\xa9" * 35, b"x" * 36,
    b"\xf0\x9f\x98\x80" * 16, b"\xe2\x80\xae", b"\xef\xbb\xbf", b"\xed\xa0\x80", b"\xff", b"\x00", b"A" * 5000, b"1" * 400,
)  # fmt: skip
_ATTRIBUTES = (
    b' xsi:nil="true"' + _XSI, b' xsi:nil="0"' + _XSI, b' xsi:nil=""' + _XSI, b' xsi:type="xsd:string"' + _XSI,
    b' xsi:schemaLocation="http://127.0.0.1:9/ x.xsd"' + _XSI, b' xsi:noNamespaceSchemaLocation="file:///etc/passwd"' + _XSI,
    b' soapenv:mustUnderstand="1"', b' soapenv:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/"', b' id="a"',
    b' href="#a"', b' xmlns=""', b' xmlns="urn:x"', b' xmlns:p="urn:x"', b' xml:space="preserve"', b' xml:base="x"',
)  # fmt: skip
_FRAGMENTS = (
    b"<!DOCTYPE a>", b'<!DOCTYPE a [<!ENTITY x "y">]>', b"<?x y?>", b'<?xml version="1.0" encoding="utf-16"?>',
    b'<?xml version="1.0" encoding="EBCDIC-CP-US"?>', b"<!--", b"-->", b"<![CDATA[", b"]]>", b"</", b"/>", b"<x/>",
    b'<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="file:///etc/passwd"/>', b"<a>" * 300, b"&lt;",
    b"<soapenv:Header/>", b"<soapenv:Body/>", b'<h soapenv:mustUnderstand="1"/>', b"<OrgPassword>x</OrgPassword>",
)  # fmt: skip


def mutate(data: bytes, rng: random.Random, others: Sequence[bytes] = ()) -> bytes:
    """`data`, an input of `target`, with one to four changes. others: messages to take parts from."""
    choice, body = data[:1] or b"\0", data[1:]
    for _ in range(rng.choice((1, 1, 2, 4))):
        if rng.random() < 0.03:
            choice = bytes([rng.randrange(256)])
        body = rng.choice(_CHANGES)(body, rng, others)
    return choice + body


def _parts(change: Callable[[list[bytes], int, random.Random], None]):
    def changed(body: bytes, rng: random.Random, _others: Sequence[bytes]) -> bytes:
        parts = _PART.findall(body) or [b""]
        change(parts, rng.randrange(len(parts)), rng)
        return b"".join(parts)

    return changed


@_parts
def _drop(parts, at, _rng):
    del parts[at]


@_parts
def _repeat(parts, at, rng):
    parts[at] *= rng.choice((2, 3, 50))


@_parts
def _swap(parts, at, rng):
    other = rng.randrange(len(parts))
    parts[at], parts[other] = parts[other], parts[at]


@_parts
def _put(parts, at, rng):
    parts.insert(at, rng.choice(_FRAGMENTS + _VALUES))


@_parts
def _attribute(parts, at, rng):
    tags = [number for number, part in enumerate(parts) if part[:1] == b"<" and part[1:2].isalpha()]
    if tags:
        at = rng.choice(tags)
        end = -2 if parts[at].endswith(b"/>") else -1
        typed = b' xsi:type="m:%b"' % rng.choice(_TYPES) + _XSI
        parts[at] = parts[at][:end] + rng.choice((*_ATTRIBUTES, typed)) + parts[at][end:]


@_parts
def _rename(parts, at, rng):
    old = re.match(rb"</?([\w:]+)", parts[at])
    if old:
        new = rng.choice(_NAMES)
        for number, part in enumerate(parts):
            if re.match(rb"</?" + re.escape(old[1]) + rb"\b", part) and rng.random() < 0.9:
                parts[number] = part.replace(old[1], new, 1)


def _value(body: bytes, rng: random.Random, _others: Sequence[bytes]) -> bytes:
    found = list(_ELEMENT.finditer(body))
    if not found:
        return body
    chosen = rng.choice(found)
    inside = chosen[0].index(b">") + 1 + chosen.start()
    end = body.rindex(b"</", inside, chosen.end())
    return body[:inside] + rng.choice(_VALUES) + body[end:]


def _element(body: bytes, rng: random.Random, others: Sequence[bytes]) -> bytes:
    """An element of this message or another, put somewhere else or left out."""
    source = rng.choice(others) if others and rng.random() < 0.5 else body
    found, places = list(_ELEMENT.finditer(source)), list(_ELEMENT.finditer(body))
    if not found or not places:
        return body
    chosen, place = rng.choice(found)[0], rng.choice(places)
    return body[: place.start()] + rng.choice((chosen, chosen + place[0], b"")) + body[place.end() :]


def _same(body: bytes, rng: random.Random, others: Sequence[bytes]) -> bytes:
    """A value of the same element in another message in place of one of ours: often still a valid message."""
    found = list(_ELEMENT.finditer(body))
    if not found or not others:
        return body
    chosen = rng.choice(found)
    for other in rng.sample(others, min(20, len(others))):
        alike = [one for one in _ELEMENT.finditer(other) if one[1] == chosen[1]]
        if alike:
            return body[: chosen.start()] + rng.choice(alike)[0] + body[chosen.end() :]
    return body


def _encode(body: bytes, rng: random.Random, _others: Sequence[bytes]) -> bytes:
    codec = rng.choice(("utf-16", "utf-16-le", "utf-16-be", "utf-8-sig", "iso-8859-1", "cp1252", "utf-32", "cp037", "utf-7"))
    return body.decode("utf-8", "replace").encode(codec, "xmlcharrefreplace")


def _cut(body: bytes, rng: random.Random, others: Sequence[bytes]) -> bytes:
    end = rng.randrange(len(body) + 1)
    if others and rng.random() < 0.5:
        other = rng.choice(others)
        return body[:end] + other[rng.randrange(len(other) + 1) :]
    return body[:end]


def _byte(body: bytes, rng: random.Random, _others: Sequence[bytes]) -> bytes:
    at = rng.randrange(len(body) + 1)
    return body[:at] + bytes([rng.choice((0, 9, 10, 13, 32, 34, 38, 39, 45, 60, 62, 63, 127, 128, 255))]) + body[at + 1 :]


_CHANGES = (
    _drop, _repeat, _swap, _put, _attribute, _rename, _value, _value, _value, _element, _element, _same, _same,
    _same, _same, _encode, _cut, _byte,
)  # fmt: skip
