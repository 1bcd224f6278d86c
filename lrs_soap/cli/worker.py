"""lrs-soap worker."""

from pathlib import Path

import click

from lrs_soap import settings
from lrs_soap.cli import exits, options


@click.command(epilog="Example: lrs-soap worker --database postgresql://lrs@db.example/lrs")
@options.settings_options({})
@exits.handles()
def worker(config: Path | None, **given) -> None:
    """Work on the batches of a register, beside the workers of its servers.

    Start as many as you like, on any machine that reaches the database, with the settings of the server. Ctrl-C or
    SIGTERM ends it after the learners it is at; one that is killed loses nothing: another goes on with its batch.
    """
    from lrs_soap import filemodes
    from lrs_soap import worker as batch_worker
    from lrs_soap.cli import register

    chosen = settings.load(config, **given)
    filemodes.refuse_exposed_database(chosen.database)
    with register.connection(chosen.database):
        pass  # or the command has ended, saying what is wrong with the database
    batch_worker.run(chosen)
