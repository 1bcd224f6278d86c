"""How far a file's submission has come: a small file beside it, so that it can go on after an interruption.

It holds no OrgPassword and nothing of a learner. It is replaced whole after every step, and made durable before the
step that it announces.
"""

import dataclasses
import hashlib
import json
from pathlib import Path

from lrs_soap import errors
from lrs_soap.batchfile import writing

_FORMAT = 1


class StateError(errors.LrsError):
    """The submission of this file cannot go on."""


@dataclasses.dataclass(slots=True)
class Call:
    """One call of the web service. count: learners in it. asked: whether it was made. job_id: its answer, if known."""

    count: int
    asked: bool = False
    job_id: int | None = None


@dataclasses.dataclass(slots=True)
class State:
    """The submission of one file. digest: SHA-256 of its bytes. caller: who it was submitted as. learners: of the
    file. today: the day on which it was judged. complete: whether every call has been answered."""

    digest: str
    caller: dict[str, str | None]
    job_type: str
    today: str
    learners: int = 0
    calls: list[Call] = dataclasses.field(default_factory=list)
    complete: bool = False

    @property
    def job_ids(self) -> list[int]:
        """The jobs of the calls that were answered, in order."""
        return [call.job_id for call in self.calls if call.job_id is not None]


def path_of(file: Path) -> Path:
    """Where the state of the submission of `file` is kept."""
    return file.with_name(file.name + ".submission.json")


def digest(file: Path) -> str:
    """The SHA-256 of a file's bytes."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def save(file: Path, state: State) -> None:
    """Writes the state of the submission of `file`."""
    text = json.dumps({"format": _FORMAT, **dataclasses.asdict(state)}, indent=1)
    with writing.replacing(path_of(file)) as temporary:
        temporary.write_text(text, encoding="utf-8")


def load(file: Path) -> State | None:
    """The state of the submission of `file`, None when it was never submitted.

    Raises StateError when the state cannot be read, or the file has changed since.
    """
    path = path_of(file)
    try:
        held = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except ValueError:
        raise StateError(f"{path} cannot be read. Restore it, or remove it to submit the file anew") from None
    if held.pop("format", None) != _FORMAT:
        raise StateError(f"{path} was written by another version of this program")
    state = State(**held | {"calls": [Call(**call) for call in held["calls"]]})
    if state.digest != digest(file):
        raise StateError(
            f"{file.name} has changed since it was submitted. Restore it, or remove {path.name} to submit it anew"
        )
    return state
