"""Statements compiled once for a kind of database, with what converts their values and rows.

SQLAlchemy prepares a statement anew for every execution, which costs more than an index read or an insert itself.
"""

import collections
import datetime
import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

Values = Mapping[str, Any]

Asked = Sequence[tuple[str, Sequence[Any]]]
"""Statements as they are sent, and the values of each."""


class Answer(NamedTuple):
    """What a statement gave: its rows, and how many it read or changed."""

    rows: list[tuple]
    rowcount: int


class Unanswered(Exception):
    """The database did not answer in time: the driver's error of that name is one of these too."""


class Columns(dict[str, list]):
    """The values of many rows, by column: most columns need no converting, and a dictionary for each row would cost more than
    its values."""

    @classmethod
    def of(cls, rows: Sequence[Values]) -> "Columns":
        """Those of rows of the same columns."""
        return cls({name: [row[name] for row in rows] for name in rows[0]} if rows else {})

    @property
    def number(self) -> int:
        """How many rows there are."""
        return len(next(iter(self.values()), ()))

    def rows(self) -> list[dict[str, Any]]:
        """The values of each row, as SQLAlchemy takes them."""
        return [dict(zip(self, values, strict=True)) for values in zip(*self.values(), strict=True)]


# Statements are made once, at import; this only bounds the harm if one is not.
_MOST_KEPT = 1_000


def kept(all_kept: dict[Any, "Statement"], key: Any, make: Callable[[], "Statement"]) -> "Statement":
    """The statement of this key, made and kept if it is not there."""
    found = all_kept.get(key)
    if found is None:
        if len(all_kept) > _MOST_KEPT:
            all_kept.clear()
        found = all_kept.setdefault(key, make())
    return found


class Statement:
    """A SQLAlchemy Core statement as one kind of database takes it: its parameters by position, on PostgreSQL written
    $1, $2 ... as libpq understands them; its values converted both ways.

    names: the columns that an INSERT without values of its own is given. Raises what SQLAlchemy's compiler raises.
    """

    def __init__(self, statement: sa.Executable, dialect: sa.Dialect, names: Iterable[str] | None = None):
        written = dialect if dialect.name == "sqlite" else type(dialect)(paramstyle="numeric_dollar")
        # As for many rows: else an INSERT would also be asked for the key of its row.
        compiled = statement.compile(dialect=written, column_keys=names and list(names), for_executemany=True)
        self.sql = str(compiled)
        # A list of values makes another statement for every length, so SQLAlchemy has to write it each time.
        self.expands = any(bind.expanding for bind in compiled.bind_names)
        fixed = compiled.construct_params(_check=False)
        self._fixed = {name: fixed[name] for bind, name in compiled.bind_names.items() if not bind.required}
        kinds = {name: bind.type.dialect_impl(dialect) for bind, name in compiled.bind_names.items()}
        self._order = [(name, _converter(kinds[name], dialect)) for name in compiled.positiontup or ()]
        self._arguments = _arguments(self._order)
        given_back = list(statement.exported_columns)
        self.gives_rows = bool(given_back)
        self._rows = _rows([column.key or "" for column in given_back], [
            column.type.dialect_impl(dialect).result_processor(dialect, None) for column in given_back
        ])  # fmt: skip
        self._row = f"({', '.join('?' * len(self._order))})"
        self._lists_rows = isinstance(statement, sa.Insert) and f"VALUES {self._row}" in self.sql

    def values(self, given: Values) -> list:
        """The values as the driver takes them. Raises KeyError if one is missing."""
        return self._arguments({**self._fixed, **given} if self._fixed else given)

    def many(self, columns: Columns) -> list[tuple]:
        """The values of many rows, as the driver takes them. Raises KeyError if one is missing."""
        converted = []
        for name, convert in self._order:
            column = columns[name] if name in columns else itertools.repeat(self._fixed[name], columns.number)
            converted.append(column if convert is None else map(convert, column))
        return list(zip(*converted, strict=True))

    def of_rows(self, number: int) -> str | None:
        """SQLite: the INSERT of so many rows at once, whose values follow each other; None if it is no such INSERT."""
        return self.sql.replace(self._row, ", ".join([self._row] * number), 1) if self._lists_rows else None

    def rows(self, fetched: Iterable[tuple]) -> list[tuple]:
        """The rows with their values converted, and with names."""
        return self._rows(fetched)


def _arguments(order: Sequence[tuple[str, Callable | None]]) -> Callable[[Values], list]:
    """What makes the list of a statement's arguments, converted, of its values by name: written out, as `_rows`."""
    values = [f"c{n}(given[{name!r}])" if convert else f"given[{name!r}]" for n, (name, convert) in enumerate(order)]
    return eval(f"lambda given: [{', '.join(values)}]", {f"c{n}": convert for n, (_, convert) in enumerate(order)})


def _rows(names: Sequence[str], converters: Sequence[Callable | None]) -> Callable[[Iterable[tuple]], list[tuple]]:
    """What makes named tuples of rows, converting their values: written out, for a search may have a thousand rows."""
    row = collections.namedtuple("Row", names, rename=True)
    if not any(converters):
        return lambda fetched: list(map(row._make, fetched))
    places = range(len(names))
    values = [f"c{n}(v{n})" if converters[n] else f"v{n}" for n in places]
    source = f"lambda fetched: [new(row, ({', '.join(values)},)) for {', '.join(f'v{n}' for n in places)}, in fetched]"
    return eval(source, {"new": tuple.__new__, "row": row} | {f"c{n}": converters[n] for n in places})


def _converter(kind: sa.types.TypeEngine, dialect: sa.Dialect) -> Callable[[Any], Any] | None:
    """What makes the driver's value of one of ours; of a list PostgreSQL's text of an array, if we know how it is written.

    psycopg looks into each list for the kinds of its elements, which takes longer than to write them.
    """
    if not isinstance(kind, sa.ARRAY):
        return kind.bind_processor(dialect)
    item = kind.item_type.dialect_impl(dialect)
    # SQLAlchemy would wrap bytes for the driver, and `_array` leave them to it.
    convert = None if isinstance(item, sa.LargeBinary) else item.bind_processor(dialect)

    def written(values: Sequence[Any] | None) -> Any:
        if values is None:
            return None
        if convert is not None:
            values = [convert(value) for value in values]
        kinds = set(map(type, values))
        return _array(values, kinds) if kinds <= _WRITTEN else values

    return written


_WRITTEN = frozenset((type(None), str, int, bytes, datetime.datetime))


def _array(values: Sequence[Any], kinds: set[type]) -> str:
    if kinds == {str}:
        # Most texts need nothing but quotes: the only ones in it then are those put between.
        text = '","'.join(values)
        if text.count('"') == 2 * (len(values) - 1) and "\\" not in text:
            return f'{{"{text}"}}'
    elif kinds == {int}:
        return f"{{{','.join(map(str, values))}}}"
    return f"{{{','.join(map(_element, values))}}}"


def _element(value: Any) -> str:
    if value is None:
        return "NULL"
    if type(value) is int:
        return str(value)
    text = f"\\x{value.hex()}" if type(value) is bytes else str(value)
    if "\\" in text or '"' in text:
        text = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'


def arrays(name: str, ordinal: str | None, /, **columns: sa.Column) -> sa.TableValuedAlias:
    """PostgreSQL's arrays, bound by these names and of these columns' types, as a table. ordinal: the name of a column
    that counts their elements from 1, if there is to be one."""
    bound = (sa.bindparam(parameter, type_=postgresql.ARRAY(column.type)) for parameter, column in columns.items())
    return sa.func.unnest(*bound).table_valued(*columns, with_ordinality=ordinal).render_derived(name=name)


def any_of(column: sa.Column, name: str) -> sa.ColumnElement[bool]:
    """On PostgreSQL: that a column is one of the values bound as the list `name`."""
    return column == sa.any_(sa.bindparam(name, type_=sa.ARRAY(column.type)))


def among(column: sa.Column, name: str) -> dict[str, sa.ColumnElement[bool]]:
    """That a column of numbers or texts is among those bound as the list `name`, by the name of the database: in one statement,
    prepared once, whatever their number."""
    given = sa.func.json_each(sa.bindparam(name, type_=sa.JSON)).table_valued("value", name="given")
    return {
        "sqlite": column.in_(sa.select(sa.literal_column("value", column.type)).select_from(given)),
        "postgresql": any_of(column, name),
    }


def of_arrays(insert: sa.Insert, names: Sequence[str]) -> sa.Insert:
    """The INSERT of one row for each element of arrays named as the columns, for PostgreSQL: one statement, however
    many rows. Numbers of a sequence, and rows given back, come in the order of the arrays."""
    given = arrays("given", "ordinal", **{name: insert.table.c[name] for name in names})
    return insert.from_select(list(names), sa.select(*(given.c[name] for name in names)).order_by(given.c.ordinal))
