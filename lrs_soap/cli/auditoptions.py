"""The options of lrs-soap audit, and the kinds of values they take."""

import datetime
import re

import click


class Moment(click.ParamType):
    """A date or time; England's, unless it says another offset."""

    name = "DATE"

    def convert(self, value, param, ctx):
        from lrs_soap.register import ENGLAND

        if isinstance(value, datetime.datetime):
            return value
        try:
            moment = datetime.datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is neither a date (2026-11-23) nor a time (2026-11-23T14:30)", param, ctx)
        return moment if moment.tzinfo else moment.replace(tzinfo=ENGLAND)


class Age(click.ParamType):
    """A number of years: 7y."""

    name = "AGE"

    def convert(self, value, param, ctx):
        found = re.fullmatch(r"([1-9][0-9]{0,2})y", str(value))
        if found is None:
            self.fail(f"{value!r} is not a number of years, such as 7y", param, ctx)
        return int(found[1])


class Head(click.ParamType):
    """The end of a chain, as `lrs-soap audit head` prints it."""

    name = "HEAD"

    def convert(self, value, param, ctx):
        from lrs_soap.rules import chain

        try:
            return chain.Head.parse(value)
        except ValueError:
            self.fail("a head is written NUMBER:HASH, as `lrs-soap audit head` prints it", param, ctx)


class Uln(click.ParamType):
    """A ULN, valid or not: ten digits."""

    name = "ULN"

    def convert(self, value, param, ctx):
        if not re.fullmatch(r"[1-9][0-9]{9}", value):
            self.fail(f"{value!r} is not ten digits", param, ctx)
        return value


key = click.option(
    "--audit-key", metavar="FILE", help="The file of the audit key, as the server has it (LRS_SOAP_AUDIT_KEY)."
)


def filters(function):
    """The options that say which rows."""
    for option in reversed(
        (
            click.option("--uln", type=Uln(), help="Rows that name this learner: who looked at it, who changed it."),
            click.option("--organisation", metavar="REF_OR_UKPRN", help="Calls of this organisation."),
            click.option("--user", "user_name", metavar="NAME", help="Calls of this MIS user, or what this operator did."),
            click.option("--operation", metavar="NAME", help="Such as learnerByULN, or learner merge."),
            click.option("--code", metavar="CODE", help="Calls that were answered so, such as WSEC0005."),
            click.option("--request-id", metavar="ID", help="The reference in a WSEC0999 fault; with a batch, its steps too."),
            click.option("--since", type=Moment(), help="From this date or time on, England's."),
            click.option("--until", type=Moment(), help="Before this date or time."),
        )
    ):
        function = option(function)
    return function
