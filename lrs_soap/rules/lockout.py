"""Guessing made slow: how many wrong passwords may be tried for one organisation from one source, and how fast.

P, all of it. Whoever guesses from one source keeps nobody elsewhere from calling: what is counted belongs to the pair
of organisation and source. The same wrong password sent again counts once and is not compared again, so that a
machine with an old password does no harm to its neighbours behind the same address.
"""

import collections
import dataclasses
import ipaddress
from collections.abc import Hashable

FREE = 5  # different wrong passwords that cost nothing
LONGEST_WAIT = 60.0  # seconds between two tries, however many were wrong
FORGOTTEN_AFTER = 900.0  # seconds without another wrong password
LOOKS = 10.0  # while it waits, a source may be asked so often a second whether its password is one that is remembered
MOST_SOURCES = 10_000  # beyond it the ones longest untouched are forgotten
MOST_WRONG = 64  # wrong passwords remembered of a source


@dataclasses.dataclass(slots=True)
class _Source:
    failures: int = 0
    trying: int = 0
    last: float = 0.0
    next_try: float = 0.0
    looks: float = LOOKS
    looked: float = 0.0
    wrong: collections.OrderedDict = dataclasses.field(default_factory=collections.OrderedDict)


def wait(failures: int) -> float:
    """Seconds until the next try after so many different wrong passwords: none, then 1, 2, 4 up to LONGEST_WAIT."""
    return 0.0 if failures < FREE else min(2.0 ** min(failures - FREE, 16), LONGEST_WAIT)


def source(address: str) -> str:
    """The address as it is counted: an IPv6 network of 64 bits is one, since one customer has it all."""
    found = ipaddress.ip_address(address) if address else None
    if found is None or found.version == 4:
        return address
    return str(ipaddress.ip_network((found, 64), strict=False))


class Attempts:
    """What was tried, by key (organisation and source). Times are seconds of a clock that never goes back.

    Memory is bounded by MOST_SOURCES and MOST_WRONG. Not to be used by two threads at once.
    """

    def __init__(self) -> None:
        self._sources: collections.OrderedDict[Hashable, _Source] = collections.OrderedDict()

    def __len__(self) -> int:
        return len(self._sources)

    def are_known(self, key: Hashable) -> bool:
        """Whether anything is remembered of tries with this key. May be asked by any thread."""
        return key in self._sources

    def known_wrong(self, key: Hashable, token: bytes, now: float) -> str | None:
        """What was found wrong with this password (its token) when it came from this source before."""
        found = self._current(key, now)
        return None if found is None else found.wrong.get(token)

    def must_wait(self, key: Hashable, now: float) -> bool:
        """Whether no password of this source is compared now."""
        found = self._current(key, now)
        return found is not None and now < found.next_try

    def may_look(self, key: Hashable, now: float) -> bool:
        """Whether a source that must wait may be compared with what is remembered: LOOKS times a second, since each
        look is a guess."""
        found = self._current(key, now)
        if found is None:
            return True
        found.looks = min(LOOKS, found.looks + (now - found.looked) * LOOKS)
        found.looked = now
        if found.looks < 1:
            return False
        found.looks -= 1
        return True

    def begin(self, key: Hashable, now: float) -> bool:
        """Starts a try, unless the source must wait: also for the end of tries that are under way, beyond FREE."""
        found = self._current(key, now)
        if found is None:
            found = self._sources[key] = _Source(last=now)
            if len(self._sources) > MOST_SOURCES:
                self._sources.popitem(last=False)
        if now < found.next_try or (found.trying and found.failures + found.trying >= FREE):
            return False
        found.trying += 1
        return True

    def end(self, key: Hashable, now: float, token: bytes = b"", wrong: str | None = None) -> None:
        """Ends a try. wrong: what was wrong with the password, None if it was right or could not be compared."""
        found = self._sources.get(key)
        if found is None:
            return
        found.trying = max(0, found.trying - 1)
        if wrong is None:
            # A right password ends no wait: who guesses may share the address with those who know.
            if not (found.failures or found.trying):
                del self._sources[key]
            return
        found.failures += 1
        found.last, found.next_try = now, now + wait(found.failures)
        found.wrong[token] = wrong
        if len(found.wrong) > MOST_WRONG:
            found.wrong.popitem(last=False)
        self._sources.move_to_end(key)

    def _current(self, key: Hashable, now: float) -> _Source | None:
        found = self._sources.get(key)
        if found is not None and not found.trying and now - found.last > FORGOTTEN_AFTER:
            del self._sources[key]
            return None
        return found
