"""Messages that differ only in their values from one that was read before.

A client's messages come from one program, so they are the same byte for byte but for the texts of their elements.
What such a message says was found out once, by `parser`, `envelope`, the schema and `binding`, and is kept as a
template: an expression that holds its tags as they were written and has a place for each value. A later message that
it matches needs only its values looked at. The technique is known as differential deserialization.

A template takes less than the schema does, never more: values are of printable ASCII without markup, and judged by the
patterns and lengths of their types. Whatever it does not take goes the long way, and so does everything that is wrong.
It holds no value of the message it was made from: no name, and no OrgPassword.
"""

import collections
import dataclasses
import re
import time
from collections.abc import Callable
from typing import Any, NamedTuple

from lrs_soap import binding, contract, errors, frozen, model, xsd
from lrs_soap.wire import envelope, facets, parser

MOST_VALUES = 64
"""The most elements with a text that a message with a template has."""

MOST_BYTES = 8_192
"""The longest message that has one."""

MOST_FORMS = 128
"""How many templates are kept. A form is another where a client leaves an element out: registrations of ten thousand people
came in 72."""

LEARNING_SECONDS = 0.03
"""A template takes half a millisecond to make: no more often than this."""

_TEXT = re.compile(r"<[^<>/!?][^<>]*(?<!/)>([^<>]*)(?=</)")  # of an element that has a start tag, an end tag, and no others in it
_TEXTS = re.compile(r">[^<]+</")  # the same and more, quicker to find
_VALUE = "[ !-%'-;=?-~]"  # printable, without & < and >

_Make = Callable[[tuple[str, ...]], Any]


class Known(NamedTuple):
    """What a message asks for: the operation and its request, as `binding` would have decoded it."""

    operation: contract.Operation
    request: Any


class _Template(NamedTuple):
    operation: contract.Operation
    message: re.Pattern
    judges: tuple[tuple[int, Callable[[str], Any]], ...]  # the number of a value, and what matches it whole
    make: _Make


class Templates:
    """Those of one process."""

    def __init__(self) -> None:
        self._kept: collections.OrderedDict[tuple[str | None, str], _Template] = collections.OrderedDict()
        # By the first element in the Body, the one learned last.
        self._usual: collections.OrderedDict[tuple[str | None, str], _Template] = collections.OrderedDict()
        self._learn_at = 0.0

    def read(self, body: bytes, charset: str | None) -> Known | None:
        """What the message says, if it is like one that was learned. charset: of the Content-Type, as for
        `parser.parse`."""
        if not _may_have_one(body, charset):
            return None
        text = body.decode("ascii")
        template = self._usual.get((charset, _first_tag(text)))
        if template is None:
            return None
        match = template.message.fullmatch(text)
        if match is None:
            template = self._kept.get((charset, _form(text)))
            match = template and template.message.fullmatch(text)
            if match is None:
                return None
        values = match.groups()
        for number, judge in template.judges:
            if judge(values[number]) is None:
                return None
        return Known(template.operation, template.make(values))

    def learn(self, body: bytes, charset: str | None, operation: contract.Operation) -> None:
        """Keeps a template of a message that the service found right in every way; or not, if the message is unusual, or
        the last was made a moment ago."""
        now = time.monotonic()
        if now < self._learn_at or not _may_have_one(body, charset):
            return
        self._learn_at = now + LEARNING_SECONDS
        text = body.decode("ascii")
        template = _template(text, charset, operation)
        if template is None:
            return
        key, first = (charset, _form(text)), (charset, _first_tag(text))
        self._kept[key] = self._usual[first] = template
        self._kept.move_to_end(key)
        for kept in (self._kept, self._usual):
            if len(kept) > MOST_FORMS:
                kept.popitem(last=False)


def _may_have_one(body: bytes, charset: str | None) -> bool:
    return body.isascii() and len(body) <= MOST_BYTES and (charset is None or charset in parser.PLAIN)


def _form(text: str) -> str:
    """The message without its values."""
    return _TEXTS.sub("></", text)


def _first_tag(text: str) -> str:
    """The start tag of the first element in the Body, as it is written: what tells most messages apart."""
    start = text.find("<", text.find("Body"))
    return text[start : text.find(">", start)]


def _template(text: str, charset: str | None, operation: contract.Operation) -> _Template | None:
    """The template of the message, or None if it is not of the plain kind: comments, references, processing instructions,
    a Header, or attributes that may say something of a value (xsi:type, xsi:nil)."""
    spans = [match.span(1) for match in _TEXT.finditer(text)]
    number = len(spans)
    literals = [text[end:start] for (_, end), (start, _) in zip([(0, 0), *spans], [*spans, (len(text), 0)], strict=True)]
    if "<!" in text or "&" in text or text.find("<?", 1) >= 0 or number > MOST_VALUES:
        return None
    # Which place belongs to which element is not worked out but tried: each gets a value of its own.
    probes = {f"probe {place}": place for place in range(number)}
    probed = literals[0] + "".join(f"{probe}{literal}" for probe, literal in zip(probes, literals[1:], strict=True))
    try:
        root = parser.parse(probed.encode(), charset)
        element = envelope.body_element(root)
    except (errors.LrsFault, errors.SoapError):
        return None  # a text where there is markup only to the parser
    if len(root) != 1 or any(one.attrib for one in element.iter()):
        return None
    found: list[xsd.SimpleType | None] = [None] * number
    try:
        request = binding.decoder(operation.request_type)(element)
    except ValueError:
        return None  # of a number, as updates have one
    expression, names = _Expression(probes, found), {}
    source = expression.of(request, operation.request_type, names)
    if None in found:
        return None  # a text that is not decoded, such as white space in a place where there may be elements
    parts, judges = [re.escape(literals[0])], []
    for place, literal in enumerate(literals[1:]):
        type_ = found[place]
        longest = "" if type_.max_length is None else type_.max_length
        parts.append(f"({_VALUE}{{{type_.min_length or 0},{longest}}}){re.escape(literal)}")
        if type_.patterns:
            judges.append((place, facets.pattern(type_.name).fullmatch))
    make = eval(f"lambda v: {source}", names)  # of names of the contract only
    return _Template(operation, re.compile("".join(parts)), tuple(judges), make)


@dataclasses.dataclass(slots=True)
class _Expression:
    """Writes out what makes a request of the values `v` of a message, from one whose values are probes."""

    probes: dict[str, int]
    found: list[xsd.SimpleType | None]

    def of(self, value: Any, type_: contract.ComplexType, names: dict[str, Any]) -> str:
        """The expression for a value of that type. names: gets what the expression calls."""
        maker = f"make_{type_.name}"
        names[maker] = frozen.maker(getattr(model, type_.name), [field.attribute for field in type_.fields])
        fields = (self._field(getattr(value, field.attribute), field, names) for field in type_.fields)
        return f"{maker}(({', '.join(fields)},))"

    def _field(self, value: Any, field: contract.Field, names: dict[str, Any]) -> str:
        if isinstance(value, tuple):
            return f"({''.join(f'{self._field(one, field, names)}, ' for one in value)})"
        if field.complex is not None:
            return "None" if value is None else self.of(value, field.complex, names)
        place = self.probes.get(value)
        if place is None:
            return repr(value)  # None, or the text of an element that has no end tag: ""
        self.found[place] = field.simple
        return f"v[{place}]"
