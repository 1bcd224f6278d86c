"""Whom the suite asks about: credentials and known learners, from a small TOML file.

`fixtures/conformance.toml` is that file for the sandbox, and the example for others.
"""

import csv
import dataclasses
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lrs_soap import errors, resources

DEFAULT = "conformance.toml"
_KEYS = {"user_name", "unknown_organisation_ref", "organisations", "learners", "outcomes"}
_ORGANISATION = {"organisation_ref", "ukprn", "org_password"}


class TargetError(errors.LrsError):
    """The file of credentials and known learners cannot be used."""


@dataclasses.dataclass(frozen=True, slots=True)
class Organisation:
    """Who calls: one of organisation_ref and ukprn, or both."""

    organisation_ref: str | None
    ukprn: str | None
    org_password: str = dataclasses.field(repr=False)

    def identified(self) -> dict[str, str | None]:
        """The elements that name it, with the password."""
        return {"OrganisationRef": self.organisation_ref, "UKPRN": self.ukprn, "OrgPassword": self.org_password}


@dataclasses.dataclass(frozen=True, slots=True)
class Target:
    """What is known of the service's data.

    organisations: by role, "main" (may do everything) and "other" (may find, verify and report, not more). learners: by
    role, each the contract's element names and texts. outcomes: rows as of fixtures/outcomes.csv.
    """

    user_name: str
    unknown_organisation_ref: str
    organisations: Mapping[str, Organisation]
    learners: Mapping[str, Mapping[str, str]]
    outcomes: tuple[dict[str, str], ...]

    @property
    def secrets(self) -> tuple[str, ...]:
        """Every password, which no report may show."""
        return tuple(organisation.org_password for organisation in self.organisations.values())

    def has(self, role: str) -> bool:
        """Whether the file gives what a case needs: "outcomes", or the role of an organisation or a learner."""
        return bool(self.outcomes) if role == "outcomes" else role in self.organisations or role in self.learners


def sandbox_outcomes() -> tuple[dict[str, str], ...]:
    """The rows of fixtures/outcomes.csv."""
    return _rows(resources.directory("fixtures") / "outcomes.csv")


def load(path: Path | None, **main: str | None) -> Target:
    """The target of a file, or the sandbox's without one.

    main: organisation_ref, ukprn, org_password and user_name that replace those of the file. Raises TargetError.
    """
    path = path or resources.directory("fixtures") / DEFAULT
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise TargetError(f"{path} cannot be read: {error.strerror}") from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise TargetError(f"{path} is not TOML: {error}") from None
    _known(path, "", values, _KEYS)
    organisations = values.get("organisations", {})
    given = {name: main[name] for name in _ORGANISATION if main.get(name)}
    if given:
        # Who names one of the two means it: the file's other one could be another organisation's.
        kept = {} if {"organisation_ref", "ukprn"} & given.keys() else organisations.get("main", {})
        password = organisations.get("main", {}).get("org_password")
        organisations = organisations | {"main": {"org_password": password} | kept | given}
    if "main" not in organisations:
        raise TargetError(f"{path} has no [organisations.main], and no organisation was given")
    return Target(
        main.get("user_name") or values.get("user_name") or "Conformance Suite",
        values.get("unknown_organisation_ref", "NOBODY"),
        {role: _organisation(path, role, row) for role, row in organisations.items()},
        {role: _learner(path, role, row) for role, row in values.get("learners", {}).items()},
        _rows(path.parent / values["outcomes"]) if values.get("outcomes") else (),
    )


def _known(path: Path, where: str, row: Any, names: set[str]) -> None:
    if not isinstance(row, dict):
        raise TargetError(f"{path}: {where} must be a table")
    if unknown := sorted(row.keys() - names):
        raise TargetError(f"{path} has {where}{', '.join(unknown)}, which is not one of {', '.join(sorted(names))}")


def _organisation(path: Path, role: str, row: dict) -> Organisation:
    _known(path, f"organisations.{role}: ", row, _ORGANISATION)
    if not row.get("org_password") or not (row.get("organisation_ref") or row.get("ukprn")):
        raise TargetError(f"{path}: organisations.{role} needs org_password, and organisation_ref or ukprn")
    return Organisation(row.get("organisation_ref"), row.get("ukprn"), row["org_password"])


def _learner(path: Path, role: str, row: dict) -> dict[str, str]:
    if not isinstance(row, dict) or not all(isinstance(value, str) for value in row.values()):
        raise TargetError(f"{path}: learners.{role} must be a table of texts")
    return row


def _rows(path: Path) -> tuple[dict[str, str], ...]:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return tuple(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise TargetError(f"{path} cannot be read as a table of outcomes ({type(error).__name__})") from None
