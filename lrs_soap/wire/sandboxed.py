"""What a sandbox has around the service and a register in use has not: a record of calls, and faults on demand.

This is the only module that adds either, and only `server` for `lrs-soap sandbox` and `hosting` for the registers of
tests call it.
"""

from pathlib import Path

from lrs_soap import sandbox
from lrs_soap.register import Register
from lrs_soap.wire import app, callpages, misbehave, recorder, spool


def around(register: Register, calls: Path, plan: misbehave.Plan | None = None) -> callpages.Pages:
    """The application of a sandbox on `register`. calls: the directory, private to the sandbox's processes, in which
    they remember calls; plan: what goes wrong on demand (default: what is reserved in the fixtures)."""
    kept = spool.Spool(calls)
    misbehaving = misbehave.Misbehaving(app.App(register, sandbox=True), plan or misbehave.Plan())
    published = [row["password"] for row in sandbox.published_organisations()]
    recording = recorder.Recorder(misbehaving, kept, register.settings, published)
    return callpages.Pages(recording, kept, register.settings)
