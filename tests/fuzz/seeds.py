"""Where the fuzzer starts: valid messages of every operation, the sandbox's outcomes, and the hostile corpus."""

from hostile import corpus
from support import messages, outcomes

from lrs_soap import contract

_LONGEST = 20_000


def seeds() -> list[bytes]:
    """The first inputs for `target`, each with the byte that chooses its charset."""
    valid = [messages.message(name, full=full) for name in contract.OPERATIONS for full in (True, False)]
    recorded = [row.message for row in outcomes.rows()]
    hostile = [case.content() for case in corpus.MESSAGES if case.in_process]
    return [b"\0" + body for body in (*valid, *recorded, *hostile) if len(body) <= _LONGEST]
