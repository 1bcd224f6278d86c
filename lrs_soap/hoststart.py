"""Starts the process of `hosting`, whose start somebody waits for: the database from which every register begins is made
by one process while another loads what serves it."""

import gc
import os
import sys
from pathlib import Path


def main(base: str) -> None:
    """Prepares the empty directory `base` and carries out commands there (`hosting.run`)."""
    gc.disable()  # nothing that is loaded now is ever garbage
    template = Path(base) / "template.sqlite"
    maker = _begin(template)
    from lrs_soap import hosting

    if maker and os.waitpid(maker, 0)[1]:
        raise SystemExit("the database could not be made: see above")
    gc.enable()
    gc.freeze()
    hosting.run(Path(base), template)


def _begin(template: Path) -> int:
    """Has the database made, and gives the process that does it, or 0 if it is done."""
    from lrs_soap import passwords, sandbox
    from lrs_soap.store import engine, schema

    passwords.cheapen()
    maker = os.fork() if hasattr(os, "fork") else 0
    if maker:
        return maker
    code = 1
    try:
        database = engine.create(f"sqlite:///{template}", sqlite_synchronous="NORMAL")
        schema.upgrade(database)
        sandbox.load(database)
        database.dispose()
        code = 0
    finally:
        if hasattr(os, "fork"):
            if code:
                sys.excepthook(*sys.exc_info())
            os._exit(code)
    return 0
