"""What the fuzzer runs: one message through the XML door and the SOAP engine on a register, and what must hold of it.

Nothing here needs atheris, so that the tests can replay what the fuzzer found.
"""

import json
import time
from pathlib import Path

import structlog
from lxml import etree
from support import soap

from lrs_soap import codes, contract, passwords, register, sandbox, settings
from lrs_soap.store import engine, schema
from lrs_soap.wire import verifier
from lrs_soap.wire import soap as wire

# The first byte of an input chooses the charset of the Content-Type, the rest is the body.
CHARSETS = (None, "utf-8", "utf-16", "iso-8859-1", "windows-1252", "us-ascii", "utf-7", '"UTF-8"', "", "\x00", "x" * 300)
SECONDS = 1.0

_READER = etree.XMLParser(resolve_entities=False, no_network=True)
_SOAP = f"{{{soap.ENVELOPE}}}"


class Finding(AssertionError):
    """The register did what it must not."""


class Target:
    """A register with the sandbox's people in a directory; `check` sends it one input."""

    def __init__(self, directory: Path):
        chosen = settings.Settings(database=f"sqlite:///{directory}/fuzz.sqlite", sqlite_synchronous="NORMAL")
        database = engine.create(chosen.database)
        schema.upgrade(database)
        sandbox.load(database)
        database.dispose()
        self._lines: list[str] = []
        structlog.configure(processors=[self._note], cache_logger_on_first_use=False)
        self._known = {row["password"] for row in sandbox.published_organisations()}
        self._register = register.Register(chosen)
        self._server = wire.SoapServer(self._register)
        # Wrong passwords would lock the organisations out, and argon2 is not what is looked at.
        self._server._authenticator._verifier.verify = self._verify

    def close(self) -> None:
        """Closes the register."""
        self._register.close()
        structlog.reset_defaults()

    def check(self, data: bytes) -> None:
        """Sends one input. Raises Finding if the reply, the time it took or the log is not as it must be."""
        charset, body = CHARSETS[data[0] % len(CHARSETS)] if data else None, data[1:]
        self._lines.clear()
        started = time.process_time()
        reply = self._server.handle(body, charset, "0123456789abcdef")
        seconds = time.process_time() - started
        if seconds > SECONDS:
            raise Finding(f"{seconds:.1f} s of processor time for {len(body)} bytes")
        judge(reply.status, reply.body)
        for line in self._lines:
            if "unexpected error" in line or "Traceback" in line or passwords.is_published(line):
                raise Finding(line)

    def _note(self, _logger, _name, event: dict) -> str:
        self._lines.append(json.dumps(event, default=str))
        raise structlog.DropEvent

    def _verify(self, _organisation, password: str, _source) -> verifier.Verdict:
        return verifier.Verdict.RIGHT if password in self._known else verifier.Verdict.WRONG


def judge(status: int, body: bytes) -> None:
    """Raises Finding unless this is a reply of the contract, the declared fault (not WSEC0999), or one of SOAP's own."""
    try:
        envelope = etree.fromstring(body, _READER)
    except etree.XMLSyntaxError as error:
        raise Finding(f"the reply is not XML: {error}") from None
    if envelope.tag != _SOAP + "Envelope" or [child.tag for child in envelope] != [_SOAP + "Body"] or len(envelope[0]) != 1:
        raise Finding("the reply is not a SOAP envelope with one body element")
    element = envelope[0][0]
    is_fault = element.tag == _SOAP + "Fault"
    if status != (500 if is_fault else 200):
        raise Finding(f"status {status} for {element.tag}")
    if is_fault:
        code, detail = element.findtext("faultcode"), element.find("detail")
        if detail is None:
            if code not in ("soapenv:VersionMismatch", "soapenv:MustUnderstand"):
                raise Finding(f"a fault without detail: {code}")
            return
        (element,) = detail
        if element.tag != contract.FAULT_ELEMENT or code != "soapenv:Server":
            raise Finding(f"the fault is not the declared one: {code}")
        if element.findtext("ErrorCode") == codes.ErrorCode.UNEXPECTED_ERROR:
            raise Finding("WSEC0999")
    elif element.tag not in {operation.response for operation in contract.OPERATIONS.values()}:
        raise Finding(f"{element.tag} is no reply of the contract")
    alone = etree.fromstring(etree.tostring(element, with_tail=False), _READER)
    if not contract.schema().validate(alone):
        raise Finding(f"the reply is not valid: {contract.schema().error_log}")


