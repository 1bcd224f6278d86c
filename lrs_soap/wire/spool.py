"""The calls a sandbox remembers: the last few, in files of a private directory that all its processes share.

Each call is one file, named by its number. A file appears whole (it is linked into place) and the oldest goes when a
new one comes, so the processes need no lock and the directory never holds more than MOST_CALLS.
"""

import contextlib
import dataclasses
import json
import os
import secrets
from pathlib import Path

MOST_CALLS = 200
"""How many calls are remembered."""
MOST_CHARACTERS = 256 * 1024
"""How much of one request or reply is remembered."""

_CUT = "\n[... {} more characters are not kept]"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request that a sandbox received, and what it answered. Passwords are masked in everything here.

    number: counts from 1. at: ISO 8601, UTC. milliseconds: from the whole request to the whole reply. operation: of the
    WSDL, "" if the message names none. code: the ResponseCode, ErrorCode or faultcode of the reply. status: of HTTP,
    None if the connection was dropped. request_judgement, reply_judgement: "valid", or what is wrong, in the schema's
    (Xerces's) or the parser's words. note: a fault on demand that was at work.
    """

    number: int = 0
    at: str
    milliseconds: float
    address: str
    method: str
    path: str
    http_version: str
    request_headers: tuple[tuple[str, str], ...]
    request_bytes: int
    request: str
    request_judgement: str
    operation: str
    status: int | None
    reply_headers: tuple[tuple[str, str], ...]
    reply_bytes: int
    reply: str
    reply_judgement: str
    code: str
    note: str = ""


class Spool:
    """The calls in `directory`, which is made (mode 0700) if it is not there."""

    def __init__(self, directory: Path, most: int = MOST_CALLS):
        self._directory = Path(directory)
        self._directory.mkdir(mode=0o700, exist_ok=True)
        self._most = most
        self._last = 0

    def add(self, call: Call) -> int:
        """Remembers a call and gives its number; the oldest is forgotten if there are too many."""
        texts = {"request": _cut(call.request), "reply": _cut(call.reply)}
        temporary = self._directory / f"new-{os.getpid()}-{secrets.token_hex(8)}"
        self._last = max(self._numbers(), default=self._last)
        while True:
            self._last += 1
            whole = dataclasses.asdict(dataclasses.replace(call, number=self._last, **texts))
            descriptor = os.open(temporary, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                json.dump(whole, file)
            try:
                os.link(temporary, self._path(self._last))
            except FileExistsError:  # another process was quicker
                continue
            finally:
                os.unlink(temporary)
            newest = max(self._numbers(), default=self._last)
            if newest < self._last + self._most:
                break
            # Others were so much quicker that the number was given, and forgotten, before.
            self._path(self._last).unlink(missing_ok=True)
            self._last = newest
        for number in self._numbers():
            if number <= self._last - self._most:
                self._path(number).unlink(missing_ok=True)
        return self._last

    def calls(self, last: int = MOST_CALLS, after: int = 0) -> list[Call]:
        """The last calls remembered, oldest first: at most `last` of them, and only those after number `after`."""
        numbers = sorted(number for number in self._numbers() if number > after)[-last:] if last > 0 else []
        return [found for number in numbers if (found := self.call(number)) is not None]

    def call(self, number: int) -> Call | None:
        """The call of that number, or None if it is not remembered."""
        try:
            values = json.loads(self._path(number).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        return from_json(values)

    def clear(self) -> None:
        """Forgets all calls; numbers go on."""
        self._last = max(self._numbers(), default=self._last)
        for number in self._numbers():
            self._path(number).unlink(missing_ok=True)

    def _path(self, number: int) -> Path:
        return self._directory / f"{number:09d}.json"

    def _numbers(self) -> list[int]:
        with contextlib.suppress(FileNotFoundError):
            return [int(name[:-5]) for name in os.listdir(self._directory) if name.endswith(".json")]
        return []


def from_json(values: dict) -> Call:
    """A call from the object that `dataclasses.asdict` made of it, once JSON has made its tuples lists."""
    headers = {name: tuple(map(tuple, values[name])) for name in ("request_headers", "reply_headers")}
    return Call(**values | headers)


def _cut(text: str) -> str:
    return text if len(text) <= MOST_CHARACTERS else text[:MOST_CHARACTERS] + _CUT.format(len(text) - MOST_CHARACTERS)
