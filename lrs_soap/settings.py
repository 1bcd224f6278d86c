"""Every setting of the server: one row holds its type, default, what is allowed and what it is for.

The command-line options of `lrs-soap serve` and `sandbox`, the environment variables and docs/settings.md are made
from these rows. Values come, the first that is there, from the command line, the environment (`LRS_SOAP_<NAME>`), a
TOML file, the default.
"""

import os
import tomllib
import typing
from pathlib import Path
from typing import Any, Literal

import annotated_types
import pydantic
import pydantic_settings

from lrs_soap import errors, filemodes, settingtypes
from lrs_soap.rules import hours as operational_hours
from lrs_soap.settingtypes import mask

PREFIX = "LRS_SOAP_"
CONFIG_VARIABLE = PREFIX + "CONFIG"
SANDBOX_DEFAULTS = {"database": "sqlite:///lrs-sandbox.sqlite", "log_format": "text"}


class SettingsError(errors.LrsError):
    """A setting is not valid."""


def _row(default, help: str, allowed: str | None = None, **limits):
    """One setting. `allowed` says what is, where type and limits do not."""
    return pydantic.Field(default, description=help, json_schema_extra={"allowed": allowed}, **limits)


_FILE = "the path of a file, or nothing"


class Settings(pydantic_settings.BaseSettings):
    """The settings of one server; made by `load`, or directly from values, and never changed."""

    model_config = pydantic_settings.SettingsConfigDict(
        env_prefix=PREFIX, frozen=True, extra="forbid", hide_input_in_errors=True, validate_default=True
    )

    # Where it listens and what it stores
    host: str = _row("127.0.0.1", "The address to listen on.", "an address of this machine; 0.0.0.0 is all of IPv4")
    port: int = _row(8080, "The TCP port to listen on; 0 takes a free one.", ge=0, le=65535)
    workers: int = _row(1, "How many processes answer requests.", ge=1, le=256)
    database: settingtypes.Database = _row("sqlite:///lrs-register.sqlite", "The register's database.", settingtypes.DATABASE_ALLOWED)
    replica: settingtypes.Replicas = _row(
        (), "PostgreSQL only, and repeated: streaming replicas of the database that finds are read from.",
        settingtypes.REPLICAS_ALLOWED,
    )
    sqlite_synchronous: Literal["FULL", "NORMAL"] = _row(
        "FULL", "SQLite only: FULL survives a loss of power; NORMAL is faster and may then lose the last registrations."
    )
    statement_timeout_seconds: float = _row(
        15, "PostgreSQL only: how long a statement of a call may take, in seconds. Clients wait 20 for a reply. P.", ge=0.5, le=18
    )

    # HTTP
    max_body_bytes: int = _row(8 * 1024 * 1024, "The longest request accepted, in bytes.", ge=1024)
    max_connections: int = _row(1000, "The most connections of one worker; beyond it the answer is HTTP 503.", ge=1)
    request_timeout_seconds: float = _row(
        30, "How long a request may take to arrive whole before its connection is closed, in seconds.", gt=0
    )
    keep_alive_seconds: int = _row(15, "How long a connection may stay open between requests, in seconds.", ge=1)

    # TLS, and proxies that end it
    tls_certificate: str = _row("", "PEM file of the server's certificate and those that issued it: HTTPS.", _FILE)
    tls_key: str = _row("", "PEM file of its key, which others may not read; empty if it is in tls_certificate.", _FILE)
    tls_minimum: Literal["TLSv1.2", "TLSv1.3"] = _row("TLSv1.2", "The oldest version of TLS that is spoken.")
    tls_client_ca: str = _row("", "PEM file of the authorities whose client certificates are accepted.", _FILE)
    tls_client_certificates: Literal["none", "optional", "required"] = _row(
        "none",
        "required: every organisation must show a certificate that the register knows as its own; optional: only those "
        "that have one in the register must (`lrs-soap org certificate`). P.",
    )
    trusted_proxies: settingtypes.Networks = _row(
        "", "The proxies whose X-Forwarded-* and client_certificate_header are believed.", settingtypes.NETWORKS_ALLOWED
    )
    client_certificate_header: settingtypes.Header = _row(
        "", "The header in which a trusted proxy passes the client certificate on.", settingtypes.HEADER_ALLOWED
    )
    insecure_http: bool = _row(
        False, "Let `serve` listen without TLS on an address that others can reach: names and passwords travel readable."
    )

    # What the service answers
    possible_limit: int = _row(5, "The most possible matches a find returns; more is WSRC0002. P.", ge=1, le=200)
    find_before_register: bool = _row(
        False, "Register only a learner whom the same organisation searched for before with the same details. P."
    )
    search_max_age_seconds: float = _row(
        3600, "find_before_register: the search may be no older than this, in seconds. P.", gt=0
    )
    search_min_age_seconds: float = _row(
        0, "find_before_register: a search that gave possible matches must be at least this old, in seconds. P.", ge=0
    )
    known_users_only: bool = _row(False, "Answer WSEC0006 to a UserName that is not an enabled user of the organisation. P.")
    hours: settingtypes.Hours = _row("always", "When the service answers; at other times WSEC0004. P.", operational_hours.ALLOWED)
    allow_sandbox_organisations: bool = _row(
        False, "Let `serve` start on a database that holds the sandbox organisations, whose passwords are published."
    )

    # Caches
    password_cache_seconds: float = _row(
        300, "How long a verified OrgPassword is remembered (as a keyed hash, in memory), in seconds.", ge=0, le=3600
    )
    organisation_cache_seconds: float = _row(
        2, "How long a worker may go on with what it read of an organisation, in seconds.", ge=0, le=300
    )

    # Batches
    job_workers: int = _row(
        1, "How many processes of this server work on batches; 0 leaves them to `lrs-soap worker` elsewhere.", ge=0, le=64
    )
    job_lease_seconds: float = _row(
        30, "How long after its last step the batch of a worker that died is taken over, in seconds.", ge=0.1, le=3600
    )
    job_poll_seconds: float = _row(0.25, "How long an idle worker waits before it looks for a batch, in seconds.", gt=0, le=60)
    job_attempts: int = _row(
        5, "A batch ends as Failed when so many workers in a row died at it without finishing a learner. P.", ge=1, le=1000
    )
    job_keep_days: int = _row(
        90, "How long after its end a batch and its learners are kept for output, in days; 0 keeps them. P.", ge=0
    )

    # Audit and log
    audit: Literal["grouped", "strict"] = _row(
        "grouped",
        "strict: the audit row of a call is stored before its reply is sent; "
        "grouped: rows of calls that change nothing are stored together every audit_flush_seconds.",
    )
    audit_flush_seconds: float = _row(0.5, "How often grouped audit rows are stored, in seconds.", gt=0, le=60)
    audit_seal_seconds: float = _row(
        1, "How often new audit rows are sealed into the chain that shows changes, in seconds.", ge=0.05, le=3600
    )
    audit_key: str = _row(
        "", "File of the key for the chain: without it, who can write to the database can make the chain anew.", _FILE
    )
    audit_keep_years: int = _row(7, "Younger audit rows cannot be removed by `lrs-soap audit prune`. P.", ge=1, le=100)
    monitoring_from: settingtypes.Networks = _row(
        "", "Who besides this machine itself may read /metrics. P.", settingtypes.NETWORKS_ALLOWED
    )
    log_format: Literal["json", "text"] = _row("json", "json: one JSON object a line; text: for people.")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = _row("INFO", "The least important messages to log.")

    @pydantic.field_validator("replica")
    @classmethod
    def _replicas_of_postgresql(cls, value: tuple[str, ...], info: pydantic.ValidationInfo) -> tuple[str, ...]:
        if value and not info.data.get("database", "").startswith("postgresql"):
            raise ValueError("SQLite has no replicas")
        return value

    @property
    def masked_database(self) -> str:
        """The database URL without its password, for messages."""
        return mask(self.database)

    def shown(self) -> dict[str, Any]:
        """All settings by name, as they may be shown: plain values, without the passwords of databases."""
        return {**self.model_dump(), "database": self.masked_database, "replica": " ".join(map(mask, self.replica))}

    def __repr_args__(self):
        return list(self.shown().items())

    def to_environment(self) -> dict[str, str]:
        """The environment variables from which `from_environment` makes these settings again, for worker processes.
        They hold the passwords of databases."""
        return {variable(name): str(value) for name, value in self.model_dump().items()}

    @classmethod
    def from_environment(cls) -> "Settings":
        """The settings that the environment of this process holds; the configuration file is not read again."""
        return _build(_environment())


def variable(name: str) -> str:
    """The environment variable of the setting `name`."""
    return PREFIX + name.upper()


def load(config: Path | None = None, defaults: dict[str, Any] | None = None, **given) -> Settings:
    """The settings to run with. given: values of the command line, None for those not said; config: the TOML file
    (without it, the one that LRS_SOAP_CONFIG names); defaults: what to take instead of the rows' own.
    Raises SettingsError that names the setting, its value and what is allowed, or the file and its mistake."""
    config = config or (Path(os.environ[CONFIG_VARIABLE]) if os.environ.get(CONFIG_VARIABLE) else None)
    said = {name: value for name, value in given.items() if value is not None}
    return _build({**(defaults or {}), **(read(config) if config else {}), **_environment(), **said})


def read(path: Path) -> dict[str, Any]:
    """The values in the TOML file `path`. Raises SettingsError when it cannot be read, filemodes.Exposed when it holds a
    password and everybody on this machine may read it."""
    try:
        values = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"the configuration file {path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise SettingsError(f"the configuration file {path} is not UTF-8 text") from None
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"the configuration file {path} is not TOML: {error}") from None
    replicas = values.get("replica", [])
    urls = [values.get("database", ""), *(replicas if isinstance(replicas, list) else str(replicas).split())]
    if any(settingtypes.has_password(str(url)) for url in urls):
        filemodes.refuse_readable(Path(path), "the configuration file with the database's password")
    return values


def _environment() -> dict[str, Any]:
    return pydantic_settings.EnvSettingsSource(Settings)()


def _build(values: dict[str, Any]) -> Settings:
    try:
        return Settings(**values)
    except pydantic.ValidationError as error:
        problems = [_problem(e["loc"][0], values.get(e["loc"][0]), e["msg"]) for e in error.errors(include_url=False)]
        raise SettingsError("; ".join(problems)) from None


def _problem(name: str, value: Any, message: str) -> str:
    if name not in Settings.model_fields:
        return f"there is no setting {name!r}: the settings are {', '.join(Settings.model_fields)}"
    # The URL of a database may hold a password, and one that cannot be parsed cannot be masked.
    shown = "the value given" if name in ("database", "replica") else repr(value)
    detail = f" ({message.removeprefix('Value error, ')})" if name == "hours" else ""
    return f"{name} ({variable(name)}): {shown} is not allowed{detail}; allowed is {allowed(name)}"


def allowed(name: str) -> str:
    """What the setting `name` may be, in words."""
    field = Settings.model_fields[name]
    if words := field.json_schema_extra["allowed"]:
        return words
    if field.annotation is bool:
        return "true or false"
    if typing.get_origin(field.annotation) is Literal:
        return " or ".join(typing.get_args(field.annotation))
    kind = "a whole number" if field.annotation is int else "a number"
    bounds = {type(limit): limit for limit in field.metadata}
    words = [
        f"{word} {getattr(bounds[kind_of], side)}"
        for kind_of, side, word in (
            (annotated_types.Ge, "ge", "at least"),
            (annotated_types.Gt, "gt", "above"),
            (annotated_types.Le, "le", "up to"),
        )
        if kind_of in bounds
    ]
    return " ".join([kind, *words])
