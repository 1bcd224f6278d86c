"""Options for the elements of a request, made from the contract."""

from collections.abc import Callable

import click

from lrs_soap import codes, contract

# Who calls is said by the options of lrs_soap.cli.connection.
_CALLER = {"organisation_ref", "ukprn", "org_password", "user_name"}


def options(type_name: str, **defaults: str) -> Callable:
    """Decorates a command with one option for each simple element of the contract's type `type_name`, under the
    element's attribute name. A mandatory element is a required option, unless `defaults` has it."""

    def decorate(function):
        for field in reversed(contract.TYPES[type_name].fields):
            if field.simple is not None and field.attribute not in _CALLER:
                function = _option(field, defaults.get(field.attribute))(function)
        return function

    return decorate


def _option(field: contract.Field, default: str | None) -> Callable:
    # For click, default=None is a default too, and an option that has one is never missing.
    wanted = {"required": field.min_occurs == 1} if default is None else {"default": default, "show_default": True}
    return click.option(
        "--" + field.attribute.replace("_", "-"),
        field.attribute,
        type=str if field.simple.base == "string" else int,
        help=f"{field.name}: {_words(field)}.",
        **wanted,
    )


def _words(field: contract.Field) -> str:
    """What the element may hold, in words. The service judges it; the option does not."""
    simple, table = field.simple, getattr(codes, field.name, None)
    if table is not None:
        return ", ".join(f"{member} {member.meaning[0].lower()}{member.meaning[1:]}" for member in table)
    if "Date" in simple.name:
        return "yyyy-mm-dd"
    if simple.base != "string":
        return "a whole number"
    if simple.min_length is not None and simple.min_length == simple.max_length:
        return f"{simple.max_length} characters"
    return f"at most {simple.max_length} characters"
