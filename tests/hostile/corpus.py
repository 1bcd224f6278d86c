"""Hostile messages as rows: what is sent, and what must come of it. They travel by HTTP that is in order; `raw` has the
requests that are not.

A row: a name, what is expected, the body, and headers other than text/xml in UTF-8. What is expected: "WSEC0001 reason"
(the declared fault, and the word that the log holds), "WSRC0004" (an answer: the trick is harmless and changes
nothing), "soap:VersionMismatch", "soap:MustUnderstand", or "415". Every body that has content has CANARY in it, which no
log, fault or figure may repeat, but for faults that show the value that broke a rule (Xerces does, behaviour.md).
"""

import dataclasses
from collections.abc import Callable

from hostile import encodings, envelopes, sizes, values, xml
from hostile.shapes import CANARY

__all__ = ["CANARY", "MESSAGES", "Hostile"]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Hostile:
    """One hostile message. body: its bytes, or what makes them, if they are many."""

    name: str
    expected: str
    body: bytes | Callable[[], bytes]
    headers: dict[str, str]

    def content(self) -> bytes:
        """The bytes of the body."""
        return self.body() if callable(self.body) else self.body

    @property
    def in_process(self) -> bool:
        """Whether the body alone is what is hostile, so that the fuzzer can begin with it."""
        return not self.headers and not callable(self.body)


def _rows():
    for module in (xml, encodings, envelopes, values, sizes):
        group = module.__name__.rpartition(".")[2]
        for name, expected, body, *headers in module.ROWS:
            yield Hostile(name=f"{group}: {name}", expected=expected, body=body, headers=headers[0] if headers else {})


MESSAGES = tuple(_rows())
