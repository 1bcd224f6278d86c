"""Judges pieces of a file and makes of them what the database takes.

Column by column, for that is several times as fast as row by row: each different value of a column is judged once.
This is what the processes of a load do; it knows no database.
"""

import datetime
import functools
import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

from lrs_soap.batchfile import facets
from lrs_soap.codes import LearnerStatus
from lrs_soap.load import layout, source
from lrs_soap.load.layout import Layout
from lrs_soap.load.reading import Rejected, Rows, Wrong
from lrs_soap.rules import dates, keys, names, registering, uln

_INTEGER = re.compile(r"[1-9][0-9]{0,8}", re.ASCII)
_DATES = frozenset({"DateOfBirth", "CreatedDate", "LastUpdatedDate", "DateOfAddressCapture"})
_REMEMBERED = 1 << 14  # values of a column
_NOT_XML = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


class Judged(NamedTuple):
    """A piece of a file: how many rows it has, the good ones as `pack` made them, and the others."""

    rows: int
    good: bytes
    rejected: list[Rejected]


def judge(
    where: Layout, today: datetime.date, columns: Sequence[str], pack: Callable, piece: tuple[int, bytes]
) -> Judged:
    """Judges a piece, which begins at a line and has some bytes.

    columns: those wanted, by the names of store.learners.StoredLearner and store.bulkload. pack: makes bytes of the
    wanted columns of the good rows, given as a list of columns. Raises Unreadable.
    """
    line, data = piece
    text = source.decoded(data, line)
    read = Rows(where, text, line)
    _judge(read, today, suspicious=_NOT_XML.search(text) is not None)
    columns_of_file, lines = read.good()
    if not lines:
        return Judged(read.count, b"", read.rejected())
    made = _made(columns_of_file, lines, today)
    return Judged(read.count, pack([made[name] for name in columns]), read.rejected())


def _judge(read: Rows, today: datetime.date, suspicious: bool) -> None:
    columns = read.columns
    for name, values in columns.items():
        if name in layout.IGNORED:
            continue
        right = _right(name, today)
        different = set(values) - right
        doubtful = different if suspicious else _doubtful(name, different, today)
        wrong = {value: found for value in doubtful if (found := _error(name, value, today, suspicious))}
        if len(right) < _REMEMBERED:
            right |= different.difference(wrong)
        if wrong:
            for index, value in enumerate(values):
                if value in wrong:
                    read.note(index, name, value, wrong[value])
    masters, statuses = columns.get(layout.MASTER), columns.get("LearnerStatus")
    if masters is not None or (statuses is not None and LearnerStatus.MERGED.value in set(statuses)):
        _judge_merges(read)


@functools.cache
def _right(name: str, today: datetime.date) -> set[str]:
    """Values of a column that nothing was wrong with in earlier pieces: names and dates come again and again."""
    return set()


def _doubtful(name: str, values: set[str], today: datetime.date) -> list[str]:
    """A quick way to say of most values that nothing is wrong with them; `_error` says it of the rest."""
    fits = _fits(name)
    if name in ("ULN", layout.MASTER):
        first, second, third = _check_sums()
        return [
            value for value in values
            if not fits(value) or value and (first[value[:3]] + second[value[3:6]] + third[value[6:]]) % 11 != 10
        ]  # fmt: skip
    if name in _DATES:
        # The pattern of a date knows the calendar but for some 29 February.
        since = f"{today.year - dates.OLDEST:04}" if name == "DateOfBirth" else ""
        until = today.isoformat() if name == "DateOfBirth" else "9"
        return [value for value in values if not (fits(value) and since < value <= until) or value.endswith("02-29")]
    return [value for value in values if not fits(value)]


def _error(name: str, value: str, today: datetime.date, suspicious: bool) -> Wrong | None:
    """What is wrong with a value of the column `name` by itself."""
    field = layout.FIELDS[name]
    if not value and (field.min_occurs == 0 or name in layout.DEFAULTED):
        return None
    if name == "VersionNumber":
        return None if _INTEGER.fullmatch(value) else ("format", "It is no version number", "Write a number from 1 on")
    if (suspicious or not _fits(name)(value)) and (found := facets.error(value, field)):
        return found[:3]
    if name in ("ULN", layout.MASTER):
        if not uln.is_valid(value):
            return "check-digit", "The check digit is wrong", "Compare the number with its source, digit by digit"
    elif name in _DATES:
        return _date_error(name, value, today)
    return None


def _date_error(name: str, value: str, today: datetime.date) -> Wrong | None:
    if not dates.is_real(value):
        return "date", "The calendar has no such day", "Correct the date"
    if name == "DateOfBirth" and not 0 <= dates.age(value, today) <= dates.OLDEST:
        return "age", f"It is in the future, or more than {dates.OLDEST} years ago", "Correct the date"
    return None


@functools.cache
def _fits(name: str) -> Callable[[str], object]:
    """Whether a value of a column meets the facets of its type, and its integers the form of one."""
    field = layout.FIELDS[name]
    if field.simple.base != "string":
        return _INTEGER.fullmatch
    form = "|".join(f"(?:{pattern})" for pattern in field.simple.patterns) or ".*"
    least, most = field.simple.min_length or 0, field.simple.max_length
    length = f"(?=.{{{least},{'' if most is None else most}}}\\Z)"
    return re.compile(f"{length}(?:{form})" + ("|" if field.min_occurs == 0 else ""), re.DOTALL).fullmatch


@functools.cache
def _check_sums() -> tuple[dict[str, int], ...]:
    """What the first three digits of a ULN, the next three and the last four bring to its check sum."""
    return tuple(
        {
            f"{number:0{digits}}": sum(int(digit) * (most - at) for at, digit in enumerate(f"{number:0{digits}}"))
            for number in range(10**digits)
        }
        for digits, most in ((3, 10), (3, 7), (4, 4))
    )


def _judge_merges(read: Rows) -> None:
    """P: a learner has a master exactly when it is merged away, which the status may leave to the master to say."""
    columns, nothing = read.columns, [""] * len(read.lines)
    rows = zip(columns["ULN"], columns.get("LearnerStatus", nothing), columns.get(layout.MASTER, nothing))
    for index, (number, status, master) in enumerate(rows):
        if status == LearnerStatus.MERGED and not master:
            read.note(index, "LearnerStatus", status, ("master", "The learner is merged away, but into whom is not said",
                                                       f"Give the master's ULN in the column {layout.MASTER}"))  # fmt: skip
        elif master and status not in ("", LearnerStatus.MERGED):
            read.note(index, layout.MASTER, master, ("master", "Only a learner merged away (LearnerStatus 0) has a master",
                                                     "Correct the status, or leave the master out"))  # fmt: skip
        elif master and master == number:
            read.note(index, layout.MASTER, master, ("master", "The learner is its own master", "Correct one of the ULNs"))


def _made(columns: dict[str, Sequence[str]], lines: list[int], today: datetime.date) -> dict[str, Sequence]:
    """What is stored, column by column; None for what is absent."""
    made: dict[str, Sequence] = {"line": lines}
    for name, field in layout.FIELDS.items():
        values = columns.get(name)
        if values is None:
            values = [None] * len(lines)
        elif "" in values:
            values = [value or None for value in values]
        made[field.attribute] = values
    _complete(made, today.isoformat())
    given = _mapped(names.fold, made["given_name"])
    family = _mapped(names.fold, made["family_name"])
    postcode = _mapped(names.fold_postcode, made["last_known_post_code"])
    identities = map(keys.identity_of, zip(given, family, made["date_of_birth"], made["gender"], postcode))
    live = LearnerStatus.ACTIVE.value
    made["identity"] = [
        identity if status == live else None for identity, status in zip(identities, made["learner_status"])
    ]
    made["given_key"] = [name[: keys.KEY_LENGTH] for name in given]
    made["family_key"] = [name[: keys.KEY_LENGTH] for name in family]
    made["postcode_key"] = postcode
    return made


def _mapped(function: Callable[[str], str], values: Sequence[str]) -> list[str]:
    known = {value: function(value) for value in set(values)}
    return [known[value] for value in values]


def _complete(made: dict[str, Sequence], today: str) -> None:
    """P: what an export may leave out. Dates: today, or that of creation. Sharing: the notice was not seen. Status: live,
    or merged away if there is a master. Tier: as the verification says. Version: the first."""
    made["created_date"] = [value or today for value in made["created_date"]]
    pairs = zip(made["last_updated_date"], made["created_date"])
    made["last_updated_date"] = [value or created for value, created in pairs]
    made["ability_to_share"] = [value or "0" for value in made["ability_to_share"]]
    made["version_number"] = [int(value or 1) for value in made["version_number"]]
    made["verification_type"] = [value or "0" for value in made["verification_type"]]
    tiers = zip(made["tier_level"], made["verification_type"])
    made["tier_level"] = [value or registering.tier_level(verified).value for value, verified in tiers]
    live, merged = LearnerStatus.ACTIVE.value, LearnerStatus.MERGED.value
    statuses = zip(made["learner_status"], made["master_uln"])
    made["learner_status"] = [value or (merged if master else live) for value, master in statuses]
