"""A click group that imports a command's module only when that command is used, so that `--help` stays quick."""

import importlib
from collections.abc import Mapping
from typing import NamedTuple

import click

from lrs_soap import importing


class Command(NamedTuple):
    """Where a command is: module, attribute, and the line that the group's help shows for it."""

    module: str
    attribute: str
    help: str


class LazyGroup(click.Group):
    """A group of commands named in sections: {"Heading": {"name": Command(...)}}."""

    def __init__(self, *args, sections: Mapping[str, Mapping[str, Command]] = {}, **kwargs):
        super().__init__(*args, **kwargs)
        self.sections = sections

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [name for commands in self.sections.values() for name in commands]

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        for commands in self.sections.values():
            if name in commands:
                with importing.quickly():
                    return getattr(importlib.import_module(commands[name].module), commands[name].attribute)
        return None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        for heading, commands in self.sections.items():
            with formatter.section(heading):
                formatter.write_dl([(name, command.help) for name, command in commands.items()])
