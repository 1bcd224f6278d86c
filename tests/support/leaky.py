"""The server with operations that crash: `python leaky.py COMMAND ...` is lrs-soap with an exception, which says all it
knows, in every operation called with the user name `Crash`; a batch worker's in every learner named by `CRASH`."""

import functools

from lrs_soap import operations
from lrs_soap.operations import batch_step

CRASH = "crash"


def _crashing(function):
    @functools.wraps(function)
    def operation(call, request):
        if request.user_name == "Crash":
            learner = str(request)
            raise ValueError(f"could not do {learner}") from KeyError(learner, request.org_password)
        return function(call, request)

    return operation


def _crashing_results(connection, job, sent, at, limit):
    for learner in sent:
        if CRASH in learner.values.get("mis_identifier", ""):
            raise ValueError(f"could not do {learner.values}")
    return _results(connection, job, sent, at, limit)


for _name, _row in list(operations.TABLE.items()):
    operations.TABLE[_name] = _row._replace(
        function=_crashing(_row.function), apply=_row.apply and _crashing(_row.apply)
    )
_results, batch_step.results = batch_step.results, _crashing_results
