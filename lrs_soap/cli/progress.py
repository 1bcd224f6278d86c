"""A progress bar, if somebody is watching."""

import contextlib
import sys
from collections.abc import Callable, Iterator


@contextlib.contextmanager
def bar(what: str, shown: bool = True) -> Iterator[Callable[[int, int | None], None]]:
    """A function of what is done and what there is to do (None: nobody knows), which draws a bar on standard error
    when that is a terminal and `shown` is true."""
    if not shown or not sys.stderr.isatty():
        yield lambda done, total: None
        return
    from rich import console
    from rich import progress

    columns = (*progress.Progress.get_default_columns(), progress.MofNCompleteColumn())
    with progress.Progress(*columns, console=console.Console(stderr=True), transient=True) as drawn:
        task = drawn.add_task(what, total=None)
        yield lambda done, total: drawn.update(task, completed=done if total is None else min(done, total), total=total)
