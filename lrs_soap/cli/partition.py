"""lrs-soap partition: the learners of a PostgreSQL register in several tables."""

import click

from lrs_soap.cli import exits, options, output, progress


@click.command(epilog="Example: lrs-soap partition 8 --database postgresql://lrs@db/lrs")
@click.argument("number", type=click.IntRange(1, 256))
@options.database_option
@options.json_option
@exits.handles()
def partition(number, database, as_json) -> None:
    """Put the learners of a register on PostgreSQL into NUMBER partitions by hash; 1 is none.

    Every row is written once more: stop servers and workers first, and have room for the register twice. Searches
    become slower with each partition; docs/scale.md says what is gained.
    """
    from lrs_soap.cli import register
    from lrs_soap.store import partitions

    with register.opened(database) as opened, progress.bar("moving learners", shown=not as_json) as advance:
        with exits.failing(exits.Exit.USAGE):
            partitions.partition(opened, number, advance)
    output.done(as_json, f"learners are in {number} partition{'s' * (number > 1)}", partitions=number)
