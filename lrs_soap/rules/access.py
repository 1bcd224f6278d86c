"""Who may do what: the rights an organisation holds.

P: the seven rights and which operation needs which. (Historic: learner registration bodies register and update,
awarding bodies only find, verify and report.)
"""

import enum


class Right(str, enum.Enum):
    """What an organisation may be allowed to do."""

    FIND = "find"
    REGISTER = "register"
    UPDATE = "update"
    VERIFY = "verify"
    BATCH = "batch"
    REPORT = "report"
    RECORD = "record"

    def __str__(self) -> str:
        return self.value


ALL = frozenset(Right)


def parse(words: str) -> frozenset[Right]:
    """The rights named in `words`, separated by spaces or commas; "all" names every one.

    Raises ValueError naming the word that is not a right.
    """
    names = words.replace(",", " ").split()
    if names == ["all"]:
        return ALL
    unknown = [name for name in names if name not in Right._value2member_map_]
    if unknown:
        raise ValueError(f"{unknown[0]!r} is not a right: choose from {', '.join(Right)} or all")
    return frozenset(Right(name) for name in names)


def render(rights: frozenset[Right]) -> str:
    """The rights as they are stored: in the order of the enumeration, separated by spaces."""
    return " ".join(right.value for right in Right if right in rights)
