"""Which waiting rows of a load have no place in the register: statements that put them into `loading.turned`.

P: of rows that exclude each other the first in the file is loaded.
"""

from collections.abc import Callable

ULN_TWICE, IDENTITY_TWICE = "uln-twice", "identity-twice"
ULN_TAKEN, IDENTITY_TAKEN, MASTER_UNKNOWN = "uln-taken", "identity-taken", "master-unknown"


def _twice(rule: str, column: str) -> tuple[str, str]:
    return rule, (
        "INSERT INTO loading.turned SELECT w.line, :rule, d.earliest FROM loading.waiting w JOIN (SELECT "
        f"{column}, min(line) AS earliest FROM loading.waiting WHERE {column} IS NOT NULL GROUP BY {column} "
        f"HAVING count(*) > 1) AS d ON d.{column} = w.{column} WHERE w.line > d.earliest"
    )


WITHIN = (_twice(ULN_TWICE, "uln"), _twice(IDENTITY_TWICE, "identity"))
"""Rows that another row of the file stands in the way of; `other` is its line. The rule and the statement."""

_SAME = (
    "FROM learner l WHERE l.uln = w.uln AND l.given_key = w.given_key AND l.family_key = w.family_key "
    "AND l.date_of_birth = w.date_of_birth"
)
UNCHANGED = f"DELETE FROM loading.waiting AS w WHERE w.line <= :last AND EXISTS (SELECT 1 {_SAME})"
"""P: a row whose ULN, names and date of birth the register has is there already. A load changes nothing."""

AGAINST_REGISTER = (
    (
        ULN_TAKEN,
        (
            "INSERT INTO loading.turned SELECT w.line, :rule, NULL FROM loading.waiting w "
            "WHERE w.line <= :last AND EXISTS (SELECT 1 FROM learner l WHERE l.uln = w.uln) "
            f"AND NOT EXISTS (SELECT 1 {_SAME})"
        ),
    ),
    (
        IDENTITY_TAKEN,
        (
            "INSERT INTO loading.turned SELECT w.line, :rule, i.uln FROM loading.waiting w "
            "JOIN learner_identity i ON i.identity = w.identity WHERE w.line <= :last AND i.uln <> w.uln"
        ),
    ),
)
"""Rows that a learner of the register stands in the way of; `other` is its ULN, for an identity."""


def unlinked(run: Callable, index: Callable, in_register: bool) -> int:
    """Turns away rows merged into a learner whom neither file nor register has, or in a circle; how many were merged.

    run: executes a statement; index: the statement that makes an index, by its name and table (column).
    in_register: whether masters may be in the register already.
    """
    run("DROP TABLE IF EXISTS loading.merged")
    run("CREATE TABLE loading.merged AS SELECT line, uln, master_uln FROM loading.waiting WHERE master_uln IS NOT NULL")
    merged = run("SELECT count(*) FROM loading.merged").scalar_one()
    if merged:
        for table in ("waiting", "merged"):
            run(index(f"{table}_uln", f"{table} (uln)"))
        known = "SELECT uln FROM loading.waiting WHERE uln = m.master_uln"
        if in_register:
            known += " UNION ALL SELECT uln FROM learner WHERE uln = m.master_uln"
        # A merged row is right as soon as its master is no row still in question: so chains are undone from their ends.
        while run(
            f"DELETE FROM loading.merged AS m WHERE EXISTS ({known}) "
            "AND NOT EXISTS (SELECT 1 FROM loading.merged o WHERE o.uln = m.master_uln)"
        ).rowcount:
            pass
        run("INSERT INTO loading.turned SELECT line, :rule, master_uln FROM loading.merged", rule=MASTER_UNKNOWN)
    run("DROP TABLE loading.merged")
    return merged
