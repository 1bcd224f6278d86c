"""The learners of the register, by ULN: every query about them, by name. Whom a search may mean is in `matches`."""

import dataclasses
import datetime
import enum
from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from lrs_soap import frozen
from lrs_soap.codes import LearnerStatus
from lrs_soap.rules import matching
from lrs_soap.store import identities, masters, statements, tables, writing


@frozen.quick
@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class StoredLearner:
    """A learner as the register keeps it: the stored fields of the contract's Learner, and the master's ULN.

    Texts are as they were sent; ULNs are ten digits, dates yyyy-MM-dd. master_uln is set on a learner merged away;
    is_master says that others were merged into this one; it is no value of the learner, and comes with every read.
    """

    uln: str
    version_number: int
    learner_status: str
    master_uln: str | None = None
    is_master: bool = dataclasses.field(default=False, compare=False)  # kept by `masters`
    created_date: str
    last_updated_date: str
    title: str | None = None
    given_name: str
    middle_other_name: str | None = None
    family_name: str
    preferred_given_name: str | None = None
    previous_family_name: str | None = None
    family_name_at_age16: str | None = None
    school_at_age16: str | None = None
    last_known_address_line1: str | None = None
    last_known_address_line2: str | None = None
    last_known_address_town: str | None = None
    last_known_address_county_or_city: str | None = None
    last_known_post_code: str
    date_of_address_capture: str | None = None
    date_of_birth: str
    place_of_birth: str | None = None
    gender: str
    email_address: str | None = None
    nationality: str | None = None
    scottish_candidate_number: str | None = None
    verification_type: str | None = None
    other_verification_description: str | None = None
    tier_level: str | None = None
    ability_to_share: str
    notes: str | None = None


class Replaced(enum.Enum):
    """What came of `replace`."""

    DONE = enum.auto()
    STALE = enum.auto()  # another version is stored than the one to be replaced, or none
    IDENTITY_TAKEN = enum.auto()  # the five identifying fields would be those of another live learner


FIELDS = tuple(field.name for field in dataclasses.fields(StoredLearner) if field.name != "is_master")
"""The values of a StoredLearner: every attribute that a write writes."""

_KEYS = tuple(field.name for field in dataclasses.fields(matching.StoredKeys))
_T = tables.learner

READ = (*FIELDS, "is_master")
"""What is read of a learner, in the order of `stored`."""

LEARNER = sa.select(*(_T.c[name] for name in READ))
"""Every learner; rows for `stored`."""

_BY_ULN = LEARNER.where(_T.c.uln == sa.bindparam("uln"))
_BY_ULN_FOR_UPDATE = _BY_ULN.with_for_update()  # SQLite, where a writer is alone, leaves it out
OF_ULNS = statements.among(_T.c.uln, "ulns")
"""That a learner is among `ulns`, numbers. By the name of the database."""

_BY_ULNS = {name: LEARNER.where(among) for name, among in OF_ULNS.items()}
_FREE = LEARNER.where(OF_ULNS["postgresql"]).with_for_update(skip_locked=True)
_VERSION_FOR_UPDATE = sa.select(_T.c.version_number).where(_T.c.uln == sa.bindparam("uln")).with_for_update()

_MERGED_INTO = sa.select(_T.c.uln).where(_T.c.master_uln == sa.bindparam("master"))

_INSERT = sa.insert(_T)
_UPDATE = (
    sa.update(_T)
    .where(_T.c.uln == sa.bindparam("of_uln"), _T.c.version_number == sa.bindparam("of_version"))
    .values({name: sa.bindparam(name) for name in (*FIELDS, *_KEYS) if name != "uln"})
)
_INSERT_HISTORY = sa.insert(tables.learner_history)


stored = frozen.maker(StoredLearner, READ)


def by_uln(conn: Connection, uln: str, for_update: bool = False) -> StoredLearner | None:
    """The learner of a ULN, live, merged away or deleted.

    for_update: keep others from changing it until the transaction ends.
    """
    row = conn.execute(_BY_ULN_FOR_UPDATE if for_update else _BY_ULN, {"uln": uln}).first()
    return stored(row) if row is not None else None


def by_ulns(conn: Connection, ulns: Iterable[str]) -> dict[str, StoredLearner]:
    """The learners of these ULNs, by ULN; those that do not exist are left out."""
    rows = conn.execute(_BY_ULNS[conn.dialect.name], {"ulns": [int(uln) for uln in ulns]})
    return {learner.uln: learner for learner in map(stored, rows)}


def free_by_ulns(conn: Connection, ulns: Iterable[str]) -> dict[str, StoredLearner]:
    """PostgreSQL: the learners of these ULNs, but for those whom another transaction is changing, as `by_uln` for_update gives
    one. Waits for nobody."""
    rows = conn.execute(_FREE, {"ulns": [int(uln) for uln in ulns]})
    return {learner.uln: learner for learner in map(stored, rows)}


def linked_ulns(conn: Connection, uln: str) -> list[str]:
    """The ULNs merged into this one, directly or through others, in order."""
    # One index read for each of them: PostgreSQL plans a recursive query as a scan of every learner.
    linked: set[str] = set()
    masters = [uln]
    while masters:
        below = conn.execute(_MERGED_INTO, {"master": masters.pop()}).scalars()
        new = [found for found in below if found not in linked]
        linked.update(new)
        masters += new
    return sorted(linked - {uln})


def master_of(conn: Connection, learner: StoredLearner) -> StoredLearner:
    """The learner itself, or the one it was merged into, at the end of the chain.

    A chain that leads nowhere or in a circle ends at the last learner reached, which is then one merged away.
    """
    seen = {learner.uln}
    while learner.master_uln is not None and learner.master_uln not in seen:
        seen.add(learner.master_uln)
        master = by_uln(conn, learner.master_uln)
        if master is None:
            break
        learner = master
    return learner


def insert(conn: Connection, learner: StoredLearner, identity: bytes, keys: matching.StoredKeys) -> bool:
    """Adds a learner; False, and nothing is written, if another live learner has the identity.

    Callers who register the same person at once: the second waits for the first to commit, then gets False. A learner
    merged away or deleted is added without claiming its identity, and after its master. Raises
    sqlalchemy.exc.IntegrityError if the ULN is in use.
    """
    row = values(learner, keys)
    if learner.learner_status == LearnerStatus.ACTIVE:
        claim = identities.CLAIM[conn.dialect.name]
        if not conn.execute(claim, {"identity": identity, "uln": learner.uln}).rowcount:
            return False
    conn.execute(_INSERT, row)
    masters.keep(conn, learner.master_uln)
    return True


def replace(
    conn: Connection,
    old: StoredLearner,
    new: StoredLearner,
    *,
    changed_by: int | None,
    user_name: str,
    at: datetime.datetime | None = None,
    is_kept: bool = False,
) -> Replaced:
    """Makes `new` the learner's current version and keeps `old` as history; nothing is written unless DONE.

    old: the version read before, whose version_number must still be the stored one. new: of the same ULN, with its
    own version_number; if it is live it takes the identity of its details, else it gives its identity up.
    changed_by: the organisation's id; user_name: its user; at: when (default now). is_kept: `old` was read for_update in this
    transaction, so that it is the stored one. Where the two have different masters the caller has locked the learner and
    them in the order of their ULNs, so that two cannot deadlock.
    """
    kept = _identity(new)
    if kept == (had := _identity(old)):
        if is_kept:
            writing.later(conn, _UPDATE, _changes(old, new))
        elif not conn.execute(_UPDATE, _changes(old, new)).rowcount:
            return Replaced.STALE
    else:
        if not is_kept and conn.execute(_VERSION_FOR_UPDATE, {"uln": old.uln}).scalar() != old.version_number:
            return Replaced.STALE
        if kept is not None:
            claim = identities.CLAIM_OR_KEEP[conn.dialect.name]
            if not conn.execute(claim, {"identity": kept, "uln": new.uln}).rowcount:
                return Replaced.IDENTITY_TAKEN
        if had is not None:
            writing.later(conn, identities.RELEASE, {"released": had, "of_uln": old.uln})
        writing.later(conn, _UPDATE, _changes(old, new))
    if new.master_uln != old.master_uln:
        masters.keep(conn, old.master_uln, new.master_uln)
    writing.later(conn, _INSERT_HISTORY, _history(old, changed_by, user_name, at))
    return Replaced.DONE


def replace_details(
    conn: Connection,
    changes: Sequence[tuple[StoredLearner, StoredLearner]],
    *,
    changed_by: int | None,
    user_name: str,
) -> Replaced:
    """`replace` for several learners (old, new) at once, in one round trip, of whom none changes identity or master.

    STALE if another version of any of them is stored: then roll back, for the others are written.
    """
    if not changes:
        return Replaced.DONE
    if conn.execute(_UPDATE, [_changes(old, new) for old, new in changes]).rowcount != len(changes):
        return Replaced.STALE
    conn.execute(_INSERT_HISTORY, [_history(old, changed_by, user_name, None) for old, _ in changes])
    return Replaced.DONE


def keeps_identity(old: StoredLearner, new: StoredLearner) -> bool:
    """Whether a new version claims no identity and gives none up, and has the same master."""
    return new.master_uln == old.master_uln and _identity(new) == _identity(old)


def _identity(learner: StoredLearner) -> bytes | None:
    """The identity that the learner claims: only who is live has one."""
    return matching.identity(learner) if learner.learner_status == LearnerStatus.ACTIVE else None


def _changes(old: StoredLearner, new: StoredLearner) -> dict[str, Any]:
    row = values(new, matching.stored_keys(new))
    del row["uln"]
    return row | {"of_uln": old.uln, "of_version": old.version_number}


def _history(
    old: StoredLearner, changed_by: int | None, user_name: str, at: datetime.datetime | None
) -> dict[str, Any]:
    return {
        "uln": old.uln,
        "version_number": old.version_number,
        "replaced_at": at or datetime.datetime.now(datetime.UTC),
        "organisation_id": changed_by,
        "user_name": user_name,
        "learner": {name: getattr(old, name) for name in FIELDS},
    }


def values(learner: StoredLearner, keys: matching.StoredKeys) -> dict[str, Any]:
    """The row of a learner, by column."""
    return {name: getattr(learner, name) for name in FIELDS} | {name: getattr(keys, name) for name in _KEYS}
