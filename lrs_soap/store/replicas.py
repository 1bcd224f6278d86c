"""Finds on streaming replicas of a PostgreSQL primary, none of which misses what was answered before it came.

A call asks the primary for its `Position` once the call is there, and reads from a replica that has replayed up to it;
where there is none, or when one fails in the middle, it reads from the primary. docs/replicas.md says why that is
enough, whatever the number of servers. P: the times and the choice among replicas.
"""

import enum
import logging
import threading
import time
import weakref
from collections.abc import Callable, Sequence

import sqlalchemy as sa
from sqlalchemy import exc
from sqlalchemy.engine import Engine

from lrs_soap.store import engine as engines
from lrs_soap.store import reading, replication
from lrs_soap.store.replication import Position

_log = logging.getLogger(__name__)

LOOK_SECONDS = 0.1
"""How often the replicas are looked at: so long does one that came back wait for its first find."""

CATCH_UP_SECONDS = 0.05
"""How far behind a replica may be to be waited for; farther, and it is not read from until it has caught up."""

POLL_SECONDS = 0.001

_ANSWER_SECONDS = 1.0  # a replica that takes longer for anything is lost
_PRIMARY_SECONDS = 5.0  # below what clients wait, and above what a busy primary takes to say where it is
_CONNECT_SECONDS = 2
_GONE = (exc.DBAPIError, exc.TimeoutError, replication.Disconnected)


class State(str, enum.Enum):
    """What a replica is good for. Only one that is UP is read from."""

    UP = "up"
    BEHIND = "behind"
    LOST = "lost"
    PROMOTED = "promoted"  # it takes changes of its own
    STRANGER = "not of this history"  # it follows another primary, or not yet the promoted one, or shows another database


class Replica:
    """One replica, as this process knows it. name: by its place in the setting, from 1; lag_bytes: what it had yet to
    replay when it was last looked at."""

    def __init__(self, number: int, url: str):
        self.name = f"replica-{number}"
        self.engine = engines.create(url, connect_timeout=_CONNECT_SECONDS)
        self.prepared: dict = {}
        self.state = State.LOST
        self.lag_bytes = 0

    def becomes(self, state: State) -> None:
        """Notes what the replica is good for from now on."""
        if state is not self.state:
            # To fall behind for a moment is nothing special.
            usual = {state, self.state} == {State.UP, State.BEHIND}
            _log.log(logging.DEBUG if usual else logging.WARNING, "%s is %s", self.name, state.value)
            self.state = state


class _Sessions(threading.local):
    """The connections of one thread."""

    def __init__(self, primary: Engine, replicas: Sequence[Replica], opened: weakref.WeakSet):
        self.primary = replication.Primary(primary, _PRIMARY_SECONDS)
        self.replicas = [replication.Replica(one.engine, one.prepared, _ANSWER_SECONDS) for one in replicas]
        self.turn = 0
        opened.update([self.primary, *self.replicas])


class Replicas:
    """The replicas of a register. primary: its engine; urls: of the replicas. None is read from before `watch` has seen
    that it is good."""

    def __init__(self, primary: Engine, urls: Sequence[str]):
        self._primary = primary
        self.all = [Replica(number, url) for number, url in enumerate(urls, 1)]
        self._opened: weakref.WeakSet[reading.Reader] = weakref.WeakSet()
        self._mine = _Sessions(primary, self.all, self._opened)
        self._closing = threading.Event()
        self.counted: Callable[[str], None] = lambda source: None
        """Called with where each reading is made: "primary", "replica-1", ..."""
        self._watching: threading.Thread | None = None

    def watch(self) -> None:
        """Looks at the replicas from now on, in a thread of its own."""
        self._watching = threading.Thread(target=self._watch, name="replicas", daemon=True)
        self._watching.start()

    def close(self) -> None:
        """Ends the watch and closes every connection."""
        self._closing.set()
        if self._watching is not None:
            self._watching.join()
        for reader in list(self._opened):
            reader.close()

    def position(self) -> Position | None:
        """A position before which lies everything that is committed now; None if the primary does not say, and so
        nothing is to be read from a replica."""
        if engines.is_down(self._primary):
            return None  # asking could take as long as connecting
        try:
            return self._mine.primary.position()
        except (exc.DBAPIError, exc.TimeoutError):
            return None

    def settled_position(self) -> Position | None:
        """A position from now, when a replica has come to it or none will soon: for a thread, which may wait."""
        position, until = self.position(), time.monotonic() + CATCH_UP_SECONDS
        while not self.is_settled(position):
            if time.monotonic() > until:
                self.give_up(position)
                break
            time.sleep(POLL_SECONDS)
        return position

    def is_settled(self, position: Position | None) -> bool:
        """Whether it is known where to read: a replica has the position, or there is none to wait for."""
        if position is None:
            return True
        behind = False
        for place, replica in enumerate(self.all):
            if replica.state is State.UP:
                state = self._state(place, position)
                if state is State.UP:
                    return True
                behind = behind or state is State.BEHIND
        return not behind

    def give_up(self, position: Position) -> None:
        """Notes that replicas which still have not come to the position are not to be waited for."""
        for place, replica in enumerate(self.all):
            if replica.state is State.UP and self._state(place, position) is State.BEHIND:
                replica.becomes(State.BEHIND)

    def read(self, position: Position | None) -> "reading.Reader | Fallible":
        """What runs selects, as a context manager: on a replica that has the position, or on the primary."""
        place = None if position is None else self._choose(position)
        if place is None:
            self.counted("primary")
            return engines.read(self._primary)
        self.counted(self.all[place].name)
        return Fallible(self._primary, self.all[place], self._mine.replicas[place])

    def _choose(self, position: Position) -> int | None:
        """The place of the next replica in turn that has the position."""
        number = len(self.all)
        for step in range(1, number + 1):
            place = (self._mine.turn + step) % number
            if self.all[place].state is State.UP and self._state(place, position) is State.UP:
                self._mine.turn = place
                return place
        return None

    def _state(self, place: int, position: Position, ask: bool = False) -> State:
        """What the replica is good for, as this thread's connection to it says; one that fails is out of use. ask: also
        if that seems to be known."""
        replica, session = self.all[place], self._mine.replicas[place]
        try:
            replica.lag_bytes = session.look(position) if ask else session.missing(position)
            return State.BEHIND if replica.lag_bytes else State.UP
        except replication.Promoted:
            state = State.PROMOTED
        except replication.Stranger:
            state = State.STRANGER
        except _GONE:
            state = State.LOST
        session.close()
        replica.becomes(state)
        return state

    def _watch(self) -> None:
        trouble = ""
        while not self._closing.is_set():
            said, trouble = trouble, ""
            try:
                self._look()
            except Exception as error:  # nothing ends the watch; the next look is soon
                trouble = type(error).__name__
                if trouble != said:
                    _log.warning("replicas are not read from: %s", trouble)
            self._closing.wait(LOOK_SECONDS)

    def _look(self) -> None:
        """Sees what each replica is good for. While the primary does not answer, none is read from anyway."""
        position = self.position()
        if position is None and not engines.is_down(self._primary):
            with engines.write(self._primary) as conn:
                replication.note(conn)
            position = self.position()
        if position is None:
            return
        started = time.monotonic()
        for place, replica in enumerate(self.all):
            # One that fell behind comes back when it is well ahead of that, so that calls do not wait for it in vain.
            until = started + (CATCH_UP_SECONDS if replica.state is State.UP else CATCH_UP_SECONDS / 5)
            while (state := self._state(place, position, ask=True)) is State.BEHIND and time.monotonic() < until:
                time.sleep(POLL_SECONDS)
            replica.becomes(state)


class Fallible:
    """Runs selects on a replica, and once that fails on the primary: later states than those already shown."""

    def __init__(self, primary: Engine, replica: Replica, session: replication.Replica):
        self.dialect = primary.dialect
        self._primary = primary
        self._replica = replica
        self._session: replication.Replica | None = session

    def __enter__(self) -> "Fallible":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def execute(self, statement: sa.Select, values: reading.Values = {}) -> reading.Rows:  # noqa: B006 (read only)
        """The rows of a select. Raises sqlalchemy.exc.DBAPIError when the primary fails too."""
        if self._session is not None:
            try:
                return self._session.execute(statement, values)
            except _GONE:
                # A host that is gone, or a statement that was in the way of changes to replay.
                self._replica.becomes(State.LOST)
                self._session.close()
                self._session = None
        with engines.read(self._primary) as reader:
            return reader.execute(statement, values)
