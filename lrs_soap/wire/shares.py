"""How the connections of a server are shared out between its processes.

All of them accept from one socket, and whichever looks first takes what is there: of clients who come together and stay
one process would often get all, while the others idle. So each tells the others how many it has, and who has more than
another gives that one a moment to come first. P, all of it.
"""

import ctypes
import multiprocessing
from collections.abc import Sequence

GIVE_WAY_SECONDS = 0.001
"""How long a process with more connections leaves a new one to the others: a moment, for they may be at work."""

_ABSENT = -1


class Share:
    """One process's place among those of a server. counts: of all; number: of this process, from 0."""

    def __init__(self, counts: Sequence[int], number: int):
        self._counts = counts
        self._number = number
        self._takes_more = True

    def tell(self, connections: int) -> None:
        """Lets the others know how many connections this process has."""
        if self._takes_more:
            self._counts[self._number] = connections

    def take(self) -> None:
        """One more, until `tell` says how many there are."""
        self.tell(self._counts[self._number] + 1)

    def leave(self) -> None:
        """This process takes no more connections, and its place may be another's already."""
        self._takes_more = False

    @property
    def is_more(self) -> bool:
        """Whether another has fewer."""
        mine = self._counts[self._number]
        return any(_ABSENT < count < mine for count in self._counts)


def among(processes: int) -> list[Share]:
    """The shares of so many processes, to be given to each when it is started."""
    counts = multiprocessing.RawArray(ctypes.c_int, [_ABSENT] * processes)
    return [Share(counts, number) for number in range(processes)]


def alone() -> Share:
    """The share of a process that has no others beside it."""
    return Share([_ABSENT], 0)
