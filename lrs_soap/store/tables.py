"""Every table of the register. The migrations make them; a test shows that the two agree.

A ULN is a BIGINT here and a string everywhere else; dates that travel on the wire are kept as they travel
(yyyy-MM-dd); moments are UTC. Tables keyed by ULN have no foreign keys to each other, so that they can be
distributed by ULN over several PostgreSQL servers.
"""

import dataclasses
import datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from lrs_soap.rules import matching

metadata = sa.MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)

# SQLite's INTEGER holds 64 bits, and only a column of that name can be the row's own number.
BigInt = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
Json = sa.JSON().with_variant(JSONB(), "postgresql")


class Uln(sa.types.TypeDecorator):
    """A ULN: ten digits in Python, a number in the database."""

    impl = BigInt
    cache_ok = True

    # Straight to the functions that convert: a TypeDecorator's own way is two calls more for every value.
    def bind_processor(self, dialect):
        return lambda value: None if value is None else int(value)

    def result_processor(self, dialect, coltype):
        return lambda value: None if value is None else str(value)


class Moment(sa.types.TypeDecorator):
    """An aware datetime, kept as UTC."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def bind_processor(self, dialect):
        if dialect.name != "sqlite":
            return super().bind_processor(dialect)
        # The same text as SQLAlchemy writes, in a fraction of the time: every row of the trail has a moment.
        return lambda value: value and value.astimezone(datetime.UTC).replace(tzinfo=None).isoformat(" ", "microseconds")

    def process_bind_param(self, value, dialect):
        return None if value is None else value.astimezone(datetime.UTC)

    def process_result_value(self, value, dialect):
        # SQLite gives it back without a zone; PostgreSQL in the session's.
        if value is None or value.tzinfo is not None:
            return value and value.astimezone(datetime.UTC)
        return value.replace(tzinfo=datetime.UTC)


organisation = sa.Table(
    "organisation",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("organisation_ref", sa.Text, nullable=False, unique=True),
    sa.Column("ukprn", sa.Text, nullable=False, unique=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("password_hash", sa.Text, nullable=False),
    sa.Column("rights", sa.Text, nullable=False),  # words of rules.access
    sa.Column("sandbox", sa.Boolean, nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("disabled_at", Moment),
)

organisation_user = sa.Table(
    "organisation_user",
    metadata,
    sa.Column("organisation_id", sa.ForeignKey("organisation.id"), primary_key=True),
    sa.Column("user_name", sa.Text, primary_key=True),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("disabled_at", Moment),
    sqlite_with_rowid=False,
)

# The keys under which a search finds a learner. rules.matching says which, and what is in them.
_KEYS = [sa.Column(field.name, sa.Text, nullable=False) for field in dataclasses.fields(matching.StoredKeys)]

learner = sa.Table(
    "learner",
    metadata,
    sa.Column("uln", Uln, primary_key=True, autoincrement=False),
    sa.Column("version_number", sa.Integer, nullable=False),
    sa.Column("learner_status", sa.Text, nullable=False),
    sa.Column("master_uln", Uln),
    sa.Column("is_master", sa.Boolean, nullable=False, server_default=sa.false()),  # others have it as master_uln
    sa.Column("created_date", sa.Text, nullable=False),
    sa.Column("last_updated_date", sa.Text, nullable=False),
    sa.Column("title", sa.Text),
    sa.Column("given_name", sa.Text, nullable=False),
    sa.Column("middle_other_name", sa.Text),
    sa.Column("family_name", sa.Text, nullable=False),
    sa.Column("preferred_given_name", sa.Text),
    sa.Column("previous_family_name", sa.Text),
    sa.Column("family_name_at_age16", sa.Text),
    sa.Column("school_at_age16", sa.Text),
    sa.Column("last_known_address_line1", sa.Text),
    sa.Column("last_known_address_line2", sa.Text),
    sa.Column("last_known_address_town", sa.Text),
    sa.Column("last_known_address_county_or_city", sa.Text),
    sa.Column("last_known_post_code", sa.Text, nullable=False),
    sa.Column("date_of_address_capture", sa.Text),
    sa.Column("date_of_birth", sa.Text, nullable=False),
    sa.Column("place_of_birth", sa.Text),
    sa.Column("gender", sa.Text, nullable=False),
    sa.Column("email_address", sa.Text),
    sa.Column("nationality", sa.Text),
    sa.Column("scottish_candidate_number", sa.Text),
    sa.Column("verification_type", sa.Text),
    sa.Column("other_verification_description", sa.Text),
    sa.Column("tier_level", sa.Text),
    sa.Column("ability_to_share", sa.Text, nullable=False),
    sa.Column("notes", sa.Text),
    *_KEYS,
    # Room on each page for new versions: one that changes no key then touches no index.
    postgresql_with={"fillfactor": 90},
)
for _columns, _beside in matching.INDEXES:
    sa.Index(f"ix_learner_{'_'.join(_columns)}", *(learner.c[name] for name in (*_columns, *_beside)))
sa.Index(
    None,
    learner.c.master_uln,
    postgresql_where=learner.c.master_uln.is_not(None),
    sqlite_where=learner.c.master_uln.is_not(None),
)

# One row for each live learner: the constraint that makes two registrations of one person at once one learner.
# A table of its own, because it is distributed by identity where the learner is distributed by ULN.
learner_identity = sa.Table(
    "learner_identity",
    metadata,
    sa.Column("identity", sa.LargeBinary, primary_key=True),
    sa.Column("uln", Uln, nullable=False),
    sqlite_with_rowid=False,
)

learner_history = sa.Table(
    "learner_history",
    metadata,
    sa.Column("uln", Uln, primary_key=True, autoincrement=False),
    sa.Column("version_number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("replaced_at", Moment, nullable=False),
    sa.Column("organisation_id", sa.ForeignKey("organisation.id")),
    sa.Column("user_name", sa.Text, nullable=False),
    sa.Column("learner", Json, nullable=False),  # the version that was replaced
)

# One row. The key is made once and never changes: another key would issue numbers again. `next_index` counts on
# SQLite; PostgreSQL counts with the sequence, which writers do not wait for.
uln_issue = sa.Table(
    "uln_issue",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("permutation_key", sa.LargeBinary, nullable=False),
    sa.Column("next_index", BigInt, nullable=False),
    sa.CheckConstraint("id = 1", name="one_row"),
)
ULN_SEQUENCE = "uln_issue_index"

# P: the learners an organisation registered, updated or found: the scope of its reports.
organisation_learner = sa.Table(
    "organisation_learner",
    metadata,
    sa.Column("organisation_id", sa.ForeignKey("organisation.id"), primary_key=True),
    sa.Column("uln", Uln, primary_key=True, autoincrement=False),
    sqlite_with_rowid=False,
)

# The last search of an organisation for one person, for find-before-register.
search = sa.Table(
    "search",
    metadata,
    sa.Column("organisation_id", sa.ForeignKey("organisation.id"), primary_key=True),
    sa.Column("identity", sa.LargeBinary, primary_key=True),
    sa.Column("code", sa.Text, nullable=False),
    sa.Column("at", Moment, nullable=False, index=True),
    sqlite_with_rowid=False,
)

# Append-only: triggers refuse UPDATE and DELETE. No demographics. On PostgreSQL it and the tables of its rows are in
# partitions by the row's number (auditpartitions), which is why they have no foreign keys to each other.
audit = sa.Table(
    "audit",
    metadata,
    sa.Column("id", BigInt, primary_key=True),
    sa.Column("at", Moment, nullable=False, index=True),
    sa.Column("request_id", sa.Text, nullable=False),
    sa.Column("organisation_id", sa.ForeignKey("organisation.id")),
    sa.Column("reference", sa.Text, nullable=False),  # as the request named it, also when nobody is called so
    sa.Column("user_name", sa.Text, nullable=False),
    sa.Column("operation", sa.Text, nullable=False),
    sa.Column("code", sa.Text, nullable=False),
    sa.Column("duration_us", BigInt, nullable=False),
    postgresql_partition_by="RANGE (id)",
)

audit_learner = sa.Table(
    "audit_learner",
    metadata,
    sa.Column("audit_id", BigInt, primary_key=True, autoincrement=False),
    sa.Column("uln", Uln, primary_key=True, autoincrement=False),
    sqlite_with_rowid=False,
    postgresql_partition_by="RANGE (audit_id)",
)


def audit_stretch(number: sa.ColumnElement[int]) -> sa.ColumnElement[int]:
    """On SQLite: the stretch of 16,384 rows of the trail that the row of this number is in. Rows are added to the last one
    only, so an index that begins with it changes few pages, where one by ULN alone changes one for every row. PostgreSQL
    has partitions."""
    return number.bitwise_rshift(sa.literal_column("14"))


sa.Index("ix_audit_learner_uln", audit_learner.c.uln).ddl_if(dialect="postgresql")
sa.Index("ix_audit_learner_stretch_uln", audit_stretch(audit_learner.c.audit_id), audit_learner.c.uln).ddl_if(dialect="sqlite")
