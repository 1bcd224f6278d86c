"""lrs-soap learner: merging, deleting and looking at the learners of a register."""

import contextlib

import click

from lrs_soap import codes, contract
from lrs_soap.cli import exits, options, output, register, timeline
from lrs_soap.operations import merging
from lrs_soap.rules import uln as ulns


class _Uln(click.ParamType):
    name = "ULN"

    def convert(self, value, param, ctx):
        if not ulns.is_valid(value):
            self.fail(f"{value!r} is not a ULN: ten digits, the last a check digit", param, ctx)
        return value


_uln_argument = click.argument("uln", metavar="ULN", type=_Uln())
_reason_option = click.option("--reason", required=True, help="Why. It is kept with the decision; name nobody in it.")
_yes_option = click.option("--yes", is_flag=True, help="Do not ask; for scripts.")


def _common(function):
    for decorate in (
        exits.handles(),
        options.json_option,
        options.database_option,
        options.operator_option,
    ):
        function = decorate(function)
    return function


@click.group(epilog="Example: lrs-soap learner merge 4123001377 --into 4123001008 --reason 'registered twice'")
def learner() -> None:
    """The learners of a register: look at them, merge, delete, and undo both.

    Every decision is kept with its reason, and is audited with your name, like every look.
    """


@learner.command(epilog="Example: lrs-soap learner show 4123001008")
@_uln_argument
@_common
def show(uln, operator, database, as_json) -> None:
    """Show what the register holds of a learner, merged away and deleted ones too."""
    with _acting(database) as conn:
        shown = merging.show(conn, uln, merging.Act(user_name=operator))
    if as_json:
        output.as_json(shown)
        return
    stored = shown.learner
    rows = [[field.name, getattr(stored, field.attribute, None)] for field in contract.TYPES["Learner"].fields]
    rows = [[name, _status(value) if name == "LearnerStatus" else value] for name, value in rows if value not in (None, "")]
    if stored.master_uln:
        rows.append(["merged into", stored.master_uln])
    if shown.current.uln != stored.master_uln and shown.current.uln != stored.uln:
        rows.append(["which is now", shown.current.uln])
    if shown.linked_ulns:
        rows.append(["merged into it", " ".join(shown.linked_ulns)])
    output.table(["element", "value"], rows)


@learner.command(epilog="Example: lrs-soap learner history 4123001008")
@_uln_argument
@_common
def history(uln, operator, database, as_json) -> None:
    """Show what happened to a learner: updates, merges, deletions; when, by whom and why."""
    with _acting(database) as conn:
        found = merging.history(conn, uln, merging.Act(user_name=operator))
    steps = timeline.steps(*found)
    if as_json:
        output.as_json(steps)
    else:
        output.table(["when", "what", "version", "by", "reason"], [timeline.row(step) for step in steps])


@learner.command(epilog="Example: lrs-soap learner merge 4123001377 --into 4123001008 --reason 'registered twice'")
@click.argument("merged", metavar="MERGED", type=_Uln())
@click.option("--into", "master", metavar="MASTER", type=_Uln(), required=True, help="The ULN that stays.")
@_reason_option
@_yes_option
@_common
def merge(merged, master, reason, yes, operator, database, as_json) -> None:
    """Merge the learner MERGED into MASTER: whoever asks for MERGED is given MASTER from then on.

    Nothing of MERGED is copied; `unmerge` brings it back as it was.
    """
    act = _Command(operator, database, as_json, reason)
    if not yes:
        act.confirm(f"Merge {merged} into {master}?", merged, master)
    act.do(f"merged {merged} into {master}", merging.merge, merged, master)


@learner.command(epilog="Example: lrs-soap learner unmerge 4123001377 --reason 'twins'")
@_uln_argument
@_reason_option
@_common
def unmerge(uln, reason, operator, database, as_json) -> None:
    """Make a learner that was merged away live again, with its own details."""
    _Command(operator, database, as_json, reason).do(f"unmerged {uln}", merging.unmerge, uln)


@learner.command(epilog="Example: lrs-soap learner delete 4123001377 --reason 'never existed'")
@_uln_argument
@_reason_option
@_yes_option
@_common
def delete(uln, reason, yes, operator, database, as_json) -> None:
    """Delete a learner: nobody finds it, or those merged into it, any more.

    Its details stay in the database, so that `restore` can bring it back.
    """
    act = _Command(operator, database, as_json, reason)
    if not yes:
        act.confirm(f"Delete {uln}?", uln)
    act.do(f"deleted {uln}", merging.delete, uln)


@learner.command(epilog="Example: lrs-soap learner restore 4123001377 --reason 'deleted by mistake'")
@_uln_argument
@_reason_option
@_common
def restore(uln, reason, operator, database, as_json) -> None:
    """Make a deleted learner live again, with its own details."""
    _Command(operator, database, as_json, reason).do(f"restored {uln}", merging.restore, uln)


@contextlib.contextmanager
def _acting(database: str | None):
    with register.connection(database) as conn, exits.failing(exits.Exit.NEGATIVE):
        yield conn


def _status(code: str) -> str:
    return f"{code} ({codes.LearnerStatus(code).meaning})"


class _Command:
    """One change: asked about if need be, then done in a transaction of its own, so that nobody waits for the answer."""

    def __init__(self, operator: str, database: str | None, as_json: bool, reason: str):
        self.operator, self.database, self.as_json, self.reason = operator, database, as_json, reason

    def confirm(self, question: str, *numbers: str) -> None:
        """Shows the learners and asks; ends the command unless the answer is yes."""
        with _acting(self.database) as conn:
            look = merging.Act(user_name=self.operator)
            shown = [merging.show(conn, number, look) for number in dict.fromkeys(numbers)]
        for one in shown:
            held, linked = one.learner, f", {len(one.linked_ulns)} merged into it" if one.linked_ulns else ""
            click.echo(f"{held.uln}  {held.given_name} {held.family_name}, born {held.date_of_birth}, gender {held.gender}, "
                       f"{held.last_known_post_code}, {_status(held.learner_status)}{linked}", err=True)
        try:
            agreed = click.confirm(question, err=True)
        except click.Abort:
            raise exits.Failure("nobody answered, so nothing was changed: give --yes in a script",
                                exits.Exit.USAGE) from None
        if not agreed:
            raise exits.Failure("nothing was changed", exits.Exit.NEGATIVE)

    def do(self, message: str, function, *numbers: str) -> None:
        """Calls a function of `operations.merging` and says what came of it."""
        with _acting(self.database) as conn:
            new = function(conn, *numbers, merging.Act(user_name=self.operator, reason=self.reason))
        facts = {"uln": new.uln, "learner_status": new.learner_status, "version_number": new.version_number}
        output.done(self.as_json, message, **facts, **({"master_uln": new.master_uln} if new.master_uln else {}))
