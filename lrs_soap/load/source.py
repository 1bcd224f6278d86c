"""Reads a file, or what comes through a pipe, in pieces that end where a row ends."""

import hashlib
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from lrs_soap.batchfile.problems import Effect, Problem, Unreadable
from lrs_soap.load import layout

PIECE = 1 << 18
"""Bytes read at once: some sixteen hundred rows, which stay in a processor's cache while they are judged."""
_MOST = 256 * PIECE  # a row that is longer has a quote that was never closed
_BOM = b"\xef\xbb\xbf"


class Position(NamedTuple):
    """How far a source was read: bytes and lines, and a digest of those bytes by which they are known again."""

    offset: int
    lines: int
    digest: bytes


class Piece(NamedTuple):
    """Some whole rows: the line they begin at, and where the source stands behind them."""

    line: int
    data: bytes
    after: Position


class Source:
    """What is read from a binary stream, once, from its beginning. `layout` is what its first line says.

    Raises batchfile.problems.Unreadable where it cannot be read as UTF-8 rows; OSError.
    """

    def __init__(self, stream: BinaryIO):
        self._stream, self._digest = stream, hashlib.blake2b(digest_size=32)
        first = stream.readline(_MOST)
        self._take(first)
        self._offset, self._lines = len(first), 1
        self.layout = layout.read(decoded(first.removeprefix(_BOM), 1).rstrip("\r\n"))

    def position(self) -> Position:
        """Behind the rows given so far; at first behind the headings."""
        return Position(self._offset, self._lines, self._digest.digest())

    def skip(self, position: Position) -> bool:
        """Goes on from `position` if this is the source it is of, which must not have been read yet; else False."""
        left = position.offset - self._offset
        while left > 0 and (data := self._stream.read(min(left, PIECE))):
            self._take(data)
            left -= len(data)
        self._offset, self._lines = position.offset, position.lines
        return left == 0 and self._digest.digest() == position.digest

    def pieces(self) -> Iterator[Piece]:
        """The rest of the rows."""
        rest = b""
        while True:
            data = self._stream.read(PIECE)
            held = rest + data
            end = _end_of_rows(held) if data else len(held)
            if end > 0:
                rest, line = held[end:], self._lines + 1
                self._take(held[:end])
                self._offset += end
                self._lines += held.count(b"\n", 0, end)
                yield Piece(line, held[:end], self.position())
            elif len(held) > _MOST:
                raise _unreadable(self._lines + 1, "quote", "A quoted value does not end", "Close the quote")
            else:
                rest = held
            if not data:
                return

    def _take(self, data: bytes) -> None:
        self._digest.update(data)


def _end_of_rows(data: bytes) -> int:
    """Behind the last line feed that is not inside quotes; 0 if there is none. `data` begins with a row."""
    end = data.rfind(b"\n") + 1
    # Doubled quotes come in twos as well: an odd number before a line feed means that a value goes on behind it.
    while end and data.count(b'"', 0, end) % 2:
        end = data.rfind(b"\n", 0, end - 1) + 1
    return end


def decoded(data: bytes, line: int) -> str:
    """The text of whole rows that begin at `line`. Raises Unreadable if it is not UTF-8."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        at = line + data.count(b"\n", 0, error.start)
        raise _unreadable(at, "encoding", "The file is not UTF-8", "Save it as UTF-8") from None


def _unreadable(line: int, rule: str, message: str, advice: str) -> Unreadable:
    return Unreadable(Problem(line=line, rule=rule, message=message, advice=advice, effect=Effect.FILE))
