"""A register of two colleges behind TLS, client certificates or a proxy, as `lrs-soap serve` runs it."""

import contextlib
import dataclasses
import functools
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import trustme
from support import server, soap

from lrs_soap import contract, passwords
from lrs_soap.rules import access, certificates
from lrs_soap.store import certificates as store
from lrs_soap.store import engine as engines
from lrs_soap.store import organisations

PASSWORDS = {"COLL01": "first college 16", "COLL02": "second college16", "COLL03": "third college 16"}
# To any other password than those above, the register says WSEC0005.
FOUND_NOBODY = "WSRC0001"


@functools.cache
def _hash(reference: str) -> str:
    return passwords.hash_password(PASSWORDS[reference])


class Papers:
    """An authority, and files of the certificates that it issues."""

    def __init__(self, directory: Path, name: str = "ca"):
        self.directory = directory
        self.ca = trustme.CA(organization_name=f"Authority {name}")
        self.ca_file = str(directory / f"{name}.pem")
        self.ca.cert_pem.write_to_path(self.ca_file)

    def issue(self, name: str, *hosts: str, **more) -> str:
        """The path of a PEM file with a certificate whose common name is `name`, and its key."""
        path = self.directory / f"{name}.pem"
        issued = self.ca.issue_cert(*hosts, common_name=name, **more)
        path.write_bytes(issued.private_key_and_cert_chain_pem.bytes())
        path.chmod(0o600)
        return str(path)


def read(path: str) -> certificates.Presented:
    """The certificate in the file."""
    return certificates.from_pem(Path(path).read_text())


def add_colleges(url: str) -> dict[str, int]:
    """Three organisations with `PASSWORDS`; their ids by OrganisationRef."""
    engine = engines.create(url)
    with engines.write(engine) as conn:
        ids = {
            reference: organisations.add(
                conn, organisation_ref=reference, ukprn=f"{reference}00", name="A college",
                password_hash=_hash(reference), rights=access.ALL,
            )
            for reference in PASSWORDS
        }  # fmt: skip
    engine.dispose()
    return ids


def add_certificates(url: str, *rows: tuple[int, dict]) -> list[int]:
    """Certificates of organisations: pairs of id and what `store.certificates.add` takes."""
    engine = engines.create(url)
    with engines.write(engine) as conn:
        numbers = [store.add(conn, organisation_id, **names) for organisation_id, names in rows]
    engine.dispose()
    return numbers


def find(reference: str, password: str | None = None, **values: str) -> bytes:
    """A find by ULN of an organisation, which an empty register answers with WSRC0001."""
    given = {"FindType": "FUL", "OrganisationRef": reference, "OrgPassword": password or PASSWORDS[reference],
             "UserName": "A Tester", "ULN": "9276308686", "FamilyName": "Archer", "GivenName": "Ann"}  # fmt: skip
    return soap.message("learnerByULN", given | values)


@dataclasses.dataclass(frozen=True, slots=True)
class Secured:
    """A server that listens."""

    port: int
    process: subprocess.Popen
    _output: Path

    def over_http(self) -> server.Running:
        """The same server, for tests that speak plain HTTP to it."""
        return server.Running(self.port, "", self.process, self._output)

    @property
    def url(self) -> str:
        """The endpoint's URL, over TLS."""
        return f"https://localhost:{self.port}{contract.ENDPOINT}"

    @property
    def output(self) -> str:
        """What it wrote so far to standard output and standard error."""
        return self._output.read_text(encoding="utf-8")

    def reasons(self) -> list[str]:
        """The reasons of the faults in the log, in order."""
        return re.findall(r'"reason": "([^"]+)"', self.output)


@contextlib.contextmanager
def running(database: str, **settings: object) -> Iterator[Secured]:
    """Starts `lrs-soap serve` on 127.0.0.1 and a free port, and stops it at the end of the block."""
    with tempfile.TemporaryDirectory() as directory:
        output = Path(directory) / "output"
        environment = {name: value for name, value in os.environ.items() if not name.startswith("LRS_SOAP_")}
        given = {"host": "127.0.0.1", "port": 0, "job_workers": 0, "database": database} | settings
        environment |= {f"LRS_SOAP_{name.upper()}": str(value) for name, value in given.items()}
        with output.open("wb") as file:
            process = subprocess.Popen(
                [sys.executable, "-c", server.START, "serve"],
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                env=environment,
                start_new_session=True,
            )
        try:
            yield Secured(_port(process, output), process, output)
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def _port(process: subprocess.Popen, output: Path) -> int:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        if found := re.search(r"WSDL: https?://[^/]*:(\d+)/", output.read_text(encoding="utf-8")):
            return int(found[1])
        time.sleep(0.05)
    raise RuntimeError(f"the server did not start:\n{output.read_text(encoding='utf-8')}")
