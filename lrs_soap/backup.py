"""Backup and restore of a register, online and verified.

A backup is one file - of SQLite a database, of PostgreSQL pg_dump's custom format - and a manifest beside it that says
what the file must hold: its SHA-256, the version of its tables, and the rows of each. Neither is in its place before
the file was read again and agrees with the manifest.
"""

import collections
import dataclasses
import datetime
import hashlib
import json
import os
import shutil
import sqlite3
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from lrs_soap import errors, pgtools
from lrs_soap.store import copies, schema
from lrs_soap.store import engine as engines

SKIPPED_ULNS = 100_000
"""P: the ULNs that a restored register does not issue, as they may have been since the backup."""

_FORMAT = 1


class BackupError(errors.LrsError):
    """The backup could not be made or restored."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a backup holds. kind: "sqlite" or "postgresql"; rows: by table; made_at: ISO 8601, UTC."""

    kind: str
    schema_version: str
    sha256: str
    bytes: int
    rows: dict[str, int]
    made_at: str
    format: int = _FORMAT


def manifest_path(file: Path) -> Path:
    """Where the manifest of a backup is."""
    return file.with_name(file.name + ".json")


def backup(url: str, file: Path, *, force: bool = False) -> Manifest:
    """Copies the register at `url` to `file`, while servers work on it. force: replace a backup that is there.

    Raises BackupError, ToolFailed, SQLAlchemyError; then `file` is as it was.
    """
    if not force and (file.exists() or manifest_path(file).exists()):
        raise BackupError(f"{file} is there already: choose another name, or --force")
    engine = _engine(url)
    partial = file.with_name(f".{file.name}.{os.getpid()}.partial")
    try:
        version = schema.version(engine)
        if version is None:
            raise BackupError("there is no register to back up")
        rows = _copy(engine, partial)
        _sync(partial)
        manifest = Manifest(
            kind=engine.dialect.name, schema_version=version, sha256=_digest(partial), bytes=partial.stat().st_size,
            rows=rows, made_at=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        )  # fmt: skip
        # A file without its manifest is no backup, so that an interruption between the two leaves none.
        manifest_path(file).unlink(missing_ok=True)
        partial.replace(file)
        _write(manifest_path(file), manifest)
        return manifest
    except (OSError, sqlite3.Error) as error:
        raise BackupError(f"{file} could not be written: {error}") from None
    except sa.exc.DatabaseError as error:
        if type(error.orig) is sqlite3.DatabaseError:  # what SQLite raises for a file that it cannot make sense of
            raise BackupError("the database is damaged: SQLite cannot read its tables") from None
        raise
    finally:
        partial.unlink(missing_ok=True)
        engine.dispose()


def restore(url: str, file: Path, *, force: bool = False, skip_ulns: int = SKIPPED_ULNS) -> Manifest:
    """Puts a backup into the empty database at `url`, and verifies it there. force: replace what it holds.

    skip_ulns: so many ULNs are never issued, as a register that lost its last hours would issue theirs again.
    Raises BackupError, ToolFailed, NewerDatabase, SQLAlchemyError; then the database is as it was, unless the message
    says that the restored register is not what was backed up.
    """
    manifest = read(file)
    if manifest.schema_version > schema.HEAD:
        raise schema.NewerDatabase()
    where = sa.make_url(url)
    kind = "sqlite" if where.get_backend_name() == "sqlite" else "postgresql"
    if not where.database:
        raise BackupError("a register in memory cannot be restored to: name a file")
    if kind != manifest.kind:
        raise BackupError(f"{file} is a backup of {manifest.kind}, which cannot be restored to {kind}")
    put = _restore_postgresql if kind == "postgresql" else _restore_sqlite
    put(url, file, manifest, force, skip_ulns)
    return manifest


def read(file: Path) -> Manifest:
    """The manifest of a backup, whose file agrees with its checksum. Raises BackupError."""
    try:
        manifest = Manifest(**json.loads(manifest_path(file).read_text(encoding="utf-8")))
        digest = _digest(file)
    except OSError as error:
        raise BackupError(f"{error.filename} cannot be read: {error.strerror}") from None
    except (ValueError, TypeError):
        raise BackupError(f"{manifest_path(file)} is not the manifest of a backup") from None
    if digest != manifest.sha256:
        raise BackupError(f"{file} is not what was backed up: its SHA-256 differs from that in its manifest")
    return manifest


def _copy(engine: Engine, partial: Path) -> dict[str, int]:
    """Writes the copy and gives its rows, counted in the copy."""
    if engine.dialect.name == "sqlite":
        copies.copy_sqlite(Path(engine.url.database), partial)
        if not copies.is_sound(partial):
            raise BackupError("the database is damaged: SQLite's integrity_check fails on its copy")
        return _rows(partial)
    with copies.snapshot(engine) as (conn, name):
        rows, tables = copies.counts(conn), copies.partitions(conn)
        pgtools.dump(engine, name, partial)
    found = collections.Counter()
    for table, number in pgtools.rows(partial).items():
        found[tables.get(table, table)] += number
    del found["alembic_version"]
    if found != rows:
        raise BackupError("the backup does not hold the rows of the database")
    return rows


def _restore_sqlite(url: str, file: Path, manifest: Manifest, force: bool, skip_ulns: int) -> None:
    target = Path(sa.make_url(url).database)
    if target.exists() and target.stat().st_size:
        if not force and not _has_no_tables(target):
            raise BackupError(f"{target} is not empty: restore to another file, or --force")
        if copies.is_open(target):
            raise BackupError(f"{target} is in use: stop the servers and workers first")
    partial = target.with_name(f".{target.name}.{os.getpid()}.partial")
    try:
        os.close(os.open(partial, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        shutil.copyfile(file, partial)
        if not copies.is_sound(partial) or _rows(partial) != manifest.rows:
            raise BackupError(f"{file} does not hold what its manifest says")
        engine = _engine(f"sqlite:///{partial.absolute()}")
        with engines.write(engine) as conn:
            copies.skip_ulns(conn, skip_ulns)
        engine.dispose()
        if copies.is_open(partial):  # which also writes its -wal back
            raise BackupError(f"{partial} is in use")
        _sync(partial)
        for name in (f"{target}-wal", f"{target}-shm"):  # of the old file: they would be taken for the new one's
            Path(name).unlink(missing_ok=True)
        partial.replace(target)
        _sync(target.parent)
    except (OSError, sqlite3.Error) as error:
        raise BackupError(f"{target} could not be restored: {error}") from None
    finally:
        for name in (partial, f"{partial}-wal", f"{partial}-shm"):
            Path(name).unlink(missing_ok=True)


def _restore_postgresql(url: str, file: Path, manifest: Manifest, force: bool, skip_ulns: int) -> None:
    engine = _engine(url)
    try:
        with engine.connect() as conn:
            if not force and not copies.is_empty(conn):
                raise BackupError("the database is not empty: restore to another one, or --force")
            if servers := copies.servers(conn):
                raise BackupError(f"the database is in use ({servers} connections): stop the servers and workers first")
        pgtools.load(engine, file, copies.CLEAR if force else None)
        with engines.write(engine) as conn:
            if copies.counts(conn) != manifest.rows:
                raise BackupError("the restored register is not what was backed up: do not use it")
            copies.skip_ulns(conn, skip_ulns)
    finally:
        engine.dispose()


def _engine(url: str) -> Engine:
    # Copying may take longer than any call may; 0 is no limit.
    return engines.create(url, statement_timeout=0, lock_timeout=30, idle_timeout=0)


def _has_no_tables(path: Path) -> bool:
    engine = _engine(f"sqlite:///{path.absolute()}")
    try:
        with engine.connect() as conn:
            return copies.is_empty(conn)
    except sa.exc.DatabaseError:
        return False
    finally:
        engine.dispose()


def _rows(path: Path) -> dict[str, int]:
    # Of its own file name, so that nothing is left beside it.
    engine = sa.create_engine(f"sqlite:///{path.absolute()}", poolclass=sa.NullPool)
    with engine.connect() as conn:
        return copies.counts(conn)


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _write(path: Path, manifest: Manifest) -> None:
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    with open(os.open(partial, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w", encoding="utf-8") as stream:
        json.dump(dataclasses.asdict(manifest), stream, indent=2)
        stream.write("\n")
    _sync(partial)
    partial.replace(path)
    _sync(path.parent)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
