"""From the bytes that Excel and others write to text, line by line and with the place of a wrong byte.

Excel writes UTF-8 with a byte order mark ("CSV UTF-8"), windows-1252 ("CSV") and UTF-16 little endian with a byte
order mark ("Unicode Text"); other programs UTF-8 without a mark. P: what is not valid UTF-8 is windows-1252.
"""

import codecs
import io
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from lrs_soap.batchfile import problems

MAX_LINE = 256 * 1024  # P: characters; the longest row of the format has under 10,000
_CHUNK = 64 * 1024
_MARKS = (
    (codecs.BOM_UTF32_LE, None),  # begins like UTF-16's
    (codecs.BOM_UTF32_BE, None),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


class Line(NamedTuple):
    """A line of a file with its ending. number: from 1."""

    number: int
    text: str


def detect(path: Path) -> str:
    """The Python codec to read the file with. Raises problems.Unreadable for UTF-32 and for UTF-16 without a mark."""
    with path.open("rb") as file:
        head = file.read(4)
        for mark, codec in _MARKS:
            if head.startswith(mark):
                if codec is None:
                    raise _unreadable("The file is in UTF-32")
                return codec
        if b"\0" in head:
            raise _unreadable("The file is in UTF-16 without a byte order mark, or is not a text file")
        if head.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
            raise _unreadable("The file is an Excel workbook, not a CSV file")
        file.seek(0)
        return "utf-8" if _is_utf8(file) else "cp1252"


def _is_utf8(file: io.BufferedReader) -> bool:
    """Whether the bytes are UTF-8, or were meant to be: valid sequences beside wrong ones."""
    decoder = codecs.getincrementaldecoder("utf-8")(errors="surrogateescape")
    wrong, right = False, False
    while not right:
        chunk = file.read(_CHUNK)
        text = decoder.decode(chunk, final=not chunk)
        if not text.isascii():
            right = any(ord(character) > 0x7F and not "\udc80" <= character <= "\udcff" for character in text)
            wrong = wrong or any("\udc80" <= character <= "\udcff" for character in text)
        if not chunk:
            break
    return right or not wrong


def lines(path: Path, codec: str) -> Iterator[Line]:
    """The lines of the file. They end in CR LF or LF; a lone CR is an ending too.

    Raises problems.Unreadable at a byte that is none of the encoding, and at a line longer than MAX_LINE.
    """
    number = 0
    keep = "surrogatepass" if codec == "utf-16" else "surrogateescape"  # wrong bytes, for their place to be told
    with path.open(encoding=codec, errors=keep, newline="") as file:
        while True:
            try:
                text = file.readline(MAX_LINE)
            except UnicodeDecodeError:
                raise _unreadable("The file ends inside a character of UTF-16", number + 1) from None
            if not text:
                return
            number += 1
            if len(text) == MAX_LINE:
                raise _unreadable(f"The line is longer than {MAX_LINE:,} characters", number)
            if not text.isascii():
                _refuse_wrong_bytes(text, number, codec)
            yield Line(number, text)


def _refuse_wrong_bytes(text: str, number: int, codec: str) -> None:
    for index, character in enumerate(text):
        if "\ud800" <= character <= "\udfff":
            name = {"cp1252": "windows-1252", "utf-16": "UTF-16"}.get(codec, "UTF-8")
            code = ord(character)
            wrong = f"unit 0x{code:04X}" if codec == "utf-16" else f"byte 0x{code - 0xDC00:02X}"
            raise _unreadable(f"The {wrong} stands for no character of {name}", number, index + 1)


def _unreadable(message: str, line: int = 1, position: int | None = None) -> problems.Unreadable:
    return problems.Unreadable(problems.Problem(
        line=line, position=position, rule="encoding", message=message, effect=problems.Effect.FILE,
        advice="Save the file again as CSV UTF-8; in Excel: Save As, type \"CSV UTF-8 (Comma delimited)\"",
    ))  # fmt: skip
