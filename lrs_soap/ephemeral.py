"""Private registers for tests: each on a free port, with a database of its own, gone when the test is over.

    with ephemeral.Registers() as registers, registers.start() as register:
        uln = register.add_learner(family_name="Archer")
        with register.client() as lrs:
            lrs.learner_by_uln(uln, "Archer", "Alex")
        assert register.calls[-1].code == "WSRC0004"

`pytest_plugin` makes fixtures of it. Everything heavy is in another process (`hosting`), and nothing of it is imported
here; `client` alone imports the client.
"""

import contextlib
import dataclasses
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any, Self

from lrs_soap import errors
from lrs_soap.wire import spool

ENDPOINT = "/MIAPWebService/services/LearnerService"
_START = "import json, sys; sys.path[:] = json.loads(sys.argv[2])\nfrom lrs_soap import hoststart; hoststart.main(sys.argv[1])"


class NotStarted(errors.LrsError):
    """The process for the registers of tests did not start."""


class Refused(errors.LrsError):
    """The register of a test cannot do what was asked for; the message says why."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Organisation:
    """What the calls of an organisation say."""

    organisation_ref: str
    ukprn: str
    org_password: str = dataclasses.field(repr=False)


SANDBOX_ORGANISATION = Organisation(
    organisation_ref="SAND01", ukprn="SAND0001", org_password="sandbox-password"
)
"""The first organisation of fixtures/organisations.json, which may do everything."""


class EphemeralRegister:
    """A running register, and what a test may do to it. `stop` it, or use it as a context manager."""

    def __init__(self, host: "Registers", number: int, port: int, calls: Path):
        self._host = host
        self._number = number
        self._spool = spool.Spool(calls)
        self._clients: list[Any] = []
        self._stopped = False
        self.port = port
        self.organisation = SANDBOX_ORGANISATION
        self.user_name = "A Tester"

    @property
    def url(self) -> str:
        """The endpoint's URL."""
        return f"http://127.0.0.1:{self.port}{ENDPOINT}"

    @property
    def wsdl_url(self) -> str:
        """Where the WSDL is."""
        return f"{self.url}?wsdl"

    @property
    def organisation_ref(self) -> str:
        """The OrganisationRef of an organisation that may do everything."""
        return self.organisation.organisation_ref

    @property
    def ukprn(self) -> str:
        """Its UKPRN."""
        return self.organisation.ukprn

    @property
    def org_password(self) -> str:
        """Its OrgPassword."""
        return self.organisation.org_password

    def client(self, organisation: Organisation | None = None, **options: Any) -> Any:
        """An LrsClient of `organisation` (default: the one that may do everything), closed when the register stops.

        options: of LrsClient, such as timeout."""
        from lrs_soap.client import LrsClient

        who = organisation or self.organisation
        given = dataclasses.asdict(who) | {"user_name": self.user_name} | options
        made = LrsClient(given.pop("url", self.url), **given)
        self._clients.append(made)
        return made

    @property
    def calls(self) -> list[spool.Call]:
        """The calls received, oldest first: the last 200. A call is there before its reply is."""
        return self._spool.calls()

    def forget_calls(self) -> None:
        """Empties `calls`."""
        self._spool.clear()

    def add_learner(self, uln: str | None = None, **details: str | None) -> str:
        """Registers a learner and gives the ULN: `uln`, or a new one.

        details: family_name, given_name, date_of_birth ("2005-06-15"), gender and so on: the attributes of
        model.LearnerToRegister; those left out have defaults (`handwork.DEFAULTS`), and the family name one of its own.
        Raises Refused, in the schema's words if a value is not allowed."""
        return self._do("add_learner", uln=uln, **details)

    def add_organisation(self, **options: str) -> Organisation:
        """Adds an organisation. options: organisation_ref, ukprn, name, org_password, rights ("find verify")."""
        return Organisation(**self._do("add_organisation", **options))

    def merge(self, merged_uln: str, master_uln: str) -> None:
        """Merges one learner into another, as an operator of the register does. Raises Refused."""
        self._do("merge", merged_uln=merged_uln, master_uln=master_uln)

    def unmerge(self, uln: str) -> None:
        """Undoes the merge of a learner. Raises Refused."""
        self._do("unmerge", uln=uln)

    def delete(self, uln: str) -> None:
        """Deletes a learner. Raises Refused."""
        self._do("delete", uln=uln)

    def restore(self, uln: str) -> None:
        """Makes a deleted learner live again. Raises Refused."""
        self._do("restore", uln=uln)

    def finish_batches(self, timeout: float = 20.0) -> None:
        """Waits until every batch that was submitted is finished; Refused after `timeout` seconds."""
        self._do("finish_batches", timeout=timeout)

    def misbehave(self, kind: str, **how: Any) -> None:
        """From now on, a fault on demand. kind: slow, fault, drop, drop-after, truncate or gateway.

        how: family_name or uln, the learner it is for (default: every call); seconds, of slow; code, of fault
        ("WSEC0004"; default WSEC0999); times, how often (default: always). Raises Refused."""
        self._do("misbehave", kind=kind, **how)

    def behave(self) -> None:
        """Takes back every `misbehave`."""
        self._do("behave")

    def stop(self) -> None:
        """Ends the register and its clients; nothing is left of it."""
        if not self._stopped:
            self._stopped = True
            for client in self._clients:
                client.close()
            self._do("stop")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.stop()

    def _do(self, what: str, **how: Any) -> Any:
        return self._host.tell({"do": what, "register": self._number, **how})


class Registers:
    """The process in which registers live; it starts with the first. `close` it, or use it as a context manager.

    It ends with this process, also when that is killed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[str] | None = None
        self._directory = Path()

    def start(self, **settings: Any) -> EphemeralRegister:
        """A new register. settings: of lrs_soap.settings, such as possible_limit. Raises NotStarted, Refused."""
        made = self.tell({"do": "start", "settings": settings})
        return EphemeralRegister(self, made["register"], made["port"], Path(made["calls"]))

    def close(self) -> None:
        """Ends the process, and with it every register."""
        with self._lock:
            process, self._process = self._process, None
            if process is not None:
                process.stdin.close()
                try:
                    process.wait(20)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
                process.stdout.close()
                shutil.rmtree(self._directory, ignore_errors=True)

    def tell(self, command: dict[str, Any]) -> Any:
        """What the process gives for a command of `hosting`. Raises Refused with what it says, NotStarted."""
        with self._lock:
            if self._process is None:
                self._begin()
            answer = self._ask(command)
        if "error" in answer:
            raise Refused(answer["error"])
        return answer["gives"]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def _begin(self) -> None:
        self._directory = Path(tempfile.mkdtemp(prefix="lrs-soap-registers-"))
        # Neither the tests' settings nor their warnings are this process's.
        environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith("LRS_SOAP_") and name not in ("PYTHONWARNINGS", "PROMETHEUS_MULTIPROC_DIR")
        } | {"PYTHONIOENCODING": "utf-8"}
        command = [sys.executable, "-P", "-W", "ignore", "-c", _START, str(self._directory), json.dumps(sys.path)]
        with (self._directory / "log").open("wb") as log:
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, env=environment,
                encoding="utf-8", start_new_session=True,
            )  # fmt: skip
        self._read()

    def _ask(self, command: dict[str, Any]) -> dict[str, Any]:
        try:
            self._process.stdin.write(json.dumps(command) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            pass  # the answer that does not come says why
        return self._read()

    def _read(self) -> dict[str, Any]:
        line = self._process.stdout.readline()
        if line:
            return json.loads(line)
        self._process.wait()
        said = ""
        with contextlib.suppress(FileNotFoundError):  # it removed everything, as it does at its end
            said = (self._directory / "log").read_text(encoding="utf-8", errors="replace")[-2000:]
        raise NotStarted(f"the process for the registers of tests ended with {self._process.returncode}: {said}")
