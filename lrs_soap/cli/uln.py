"""lrs-soap uln: what can be said of a number without asking a register."""

import click

from lrs_soap.cli import exits, options, output
from lrs_soap.rules import uln as rules


@click.group()
def uln() -> None:
    """Unique Learner Numbers."""


@uln.command(epilog="Example: lrs-soap uln check 9276308686")
@click.argument("numbers", metavar="NUMBER...", nargs=-1, required=True)
@options.json_option
def check(numbers: tuple[str, ...], as_json: bool) -> None:
    """Check that each NUMBER is a ULN: ten digits, the first not 0, with the right check digit.

    It does not say whether the number was ever issued. The exit code is 0 if all are ULNs, else 1.
    """
    valid = {number: rules.is_valid(number) for number in numbers}
    if as_json:
        output.as_json([{"uln": number, "valid": answer} for number, answer in valid.items()])
    else:
        for number, answer in valid.items():
            click.echo(f"{number}  {'valid' if answer else 'not a ULN'}")
    exits.leave(exits.Exit.DONE if all(valid.values()) else exits.Exit.NEGATIVE)
