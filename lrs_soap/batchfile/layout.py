"""What a batch file of version 2A looks like: its columns, its name, its limits."""

import dataclasses
import datetime
import re

from lrs_soap import contract

VERSION = "2A"  # D
MAX_LEARNERS = 5_000  # D: in a file
PER_CALL = contract.TYPES["BatchRegistrationRqst"].fields[-1].max_occurs  # D: in one call of the web service

FIELDS = contract.TYPES["BatchLearner"].fields

# D: the headings that are not the names of the contract's elements.
_HEADINGS = {
    "FamilyNameAtAge16": "FamilyNameAt16",
    "LastKnownAddressCountyOrCity": "LastKnownAddressCountyorCity",
}

# D: filled in the first data row only.
FILE_COLUMNS = ("FileVersion", "FileName", "UKPRN", "LearnerRecordCount")
# D: the learner's columns stand in the order of the contract's BatchLearner.
LEARNER_COLUMNS = tuple(_HEADINGS.get(field.name, field.name) for field in FIELDS)
COLUMNS = FILE_COLUMNS + LEARNER_COLUMNS
FIELD_OF = dict(zip(LEARNER_COLUMNS, FIELDS, strict=True))
HEADING_OF = {field.attribute: heading for heading, field in FIELD_OF.items()}

# P: an output file has one more column, and an exceptions file tells in words what the code means.
OUTPUT_COLUMNS = (*COLUMNS, "ReturnCode")
EXCEPTION_COLUMNS = (*OUTPUT_COLUMNS, "Meaning", "Line", "Reason")

_NAME = re.compile(r"LRB_([0-9A-Z]{8})_([0-9]{12})\.(CSV|XML)")
_MINUTE = "%d%m%Y%H%M"


@dataclasses.dataclass(frozen=True, slots=True)
class Name:
    """The name of a batch file, taken apart. kind: "CSV" or "XML"."""

    ukprn: str
    made: datetime.datetime
    kind: str

    def __str__(self) -> str:
        return f"LRB_{self.ukprn.upper()}_{self.made.strftime(_MINUTE)}.{self.kind}"


def parse_name(text: str) -> Name | None:
    """The parts of LRB_<UKPRN>_<ddmmyyyyHHMM>.CSV or .XML, in upper case (D); None when `text` is no such name."""
    found = _NAME.fullmatch(text)
    if found is None:
        return None
    try:
        return Name(found[1], datetime.datetime.strptime(found[2], _MINUTE), found[3])
    except ValueError:
        return None


def letter(number: int) -> str:
    """The letter that a spreadsheet gives the column `number`, counted from 1: 1 is A, 27 is AA."""
    text = ""
    while number:
        number, rest = divmod(number - 1, 26)
        text = chr(ord("A") + rest) + text
    return text
