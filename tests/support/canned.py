"""A LearnerService that replays canned replies, each judged against the XSDs when it is made."""

import contextlib
import dataclasses
import functools
import http.server
import re
import ssl
import threading
from collections.abc import Iterator

import xmlschema

from lrs_soap import contract, resources

ENVELOPE = (
    '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"><soapenv:Body>{}'
    "</soapenv:Body></soapenv:Envelope>"
)
FAULT = (
    "<soapenv:Fault><faultcode>soapenv:Server</faultcode>"
    "<faultstring>uk.gov.miap.lrs.api.exceptions.MIAPAPIException</faultstring><detail>{}</detail></soapenv:Fault>"
)
LEARNER = (
    "<Learner><CreatedDate>2020-01-02</CreatedDate><LastUpdatedDate>2021-01-02</LastUpdatedDate><ULN>9276308686</ULN>"
    "<GivenName>Ann [x]</GivenName><FamilyName>Archer</FamilyName><LastKnownPostCode>AB1 2DE</LastKnownPostCode>"
    "<DateOfBirth>2001-02-03</DateOfBirth><Gender>2</Gender><AbilityToShare>1</AbilityToShare>"
    "<LearnerStatus>1</LearnerStatus><LinkedULNs><ULN>1234567890</ULN></LinkedULNs><Notes/>"
    "<VersionNumber>4</VersionNumber></Learner>"
)


@functools.cache
def judge(file: str) -> xmlschema.XMLSchema:
    """The second judge, which shares no code with lrs_soap."""
    return xmlschema.XMLSchema(str(resources.directory("schemas") / file))


def _file(namespace: str) -> str:
    (file,) = (
        name for name, data in contract.FILES.items() if name.endswith(".xsd")
        and re.search(rb'targetNamespace="([^"]*)"', data)[1].decode() == namespace
    )  # fmt: skip
    return file


def element(qualified: str, children: str) -> str:
    """The message "{namespace}Name" with those children; raises when the XSDs do not accept it."""
    namespace, _, name = qualified[1:].partition("}")
    text = f'<ns10:{name} xmlns:ns10="{namespace}">{children}</ns10:{name}>'
    judge(_file(namespace)).validate(text)
    return text


def reply(operation: str, children: str) -> str:
    """An envelope with the reply of `operation`."""
    return ENVELOPE.format(element(contract.OPERATIONS[operation].response, children))


def fault(code: str, details: str = "", **more: str) -> str:
    """An envelope with the declared fault."""
    texts = {"ErrorCode": code, "ErrorActor": "actor()", "Description": "What it means", "FurtherDetails": details,
             "ErrorTimestamp": "2026-11-23 10:11:12", **more}  # fmt: skip
    children = "".join(f"<{name}>{text}</{name}>" for name, text in texts.items())
    return ENVELOPE.format(FAULT.format(element(contract.FAULT_ELEMENT, children)))


@dataclasses.dataclass
class Server:
    """Answers every POST with `status`, `headers` and `body`, and keeps what it was sent."""

    url: str = ""
    status: int = 200
    content_type: str = "text/xml; charset=utf-8"
    headers: dict[str, str] = dataclasses.field(default_factory=dict)
    body: str = ""
    documents: dict[str, bytes] = dataclasses.field(default_factory=dict)
    requests: list[str] = dataclasses.field(default_factory=list)
    paths: list[str] = dataclasses.field(default_factory=list)
    hold: threading.Event | None = None

    def answer(self, body: str, status: int = 200) -> "Server":
        self.body, self.status = body, status
        return self

    def sent(self) -> str:
        """The message in the last request, judged against the XSDs."""
        found = re.search(r":Body[^>]*>(.*)</[^>]*:Body>", self.requests[-1], re.DOTALL)[1]
        prefix, namespace = re.search(r'^<(\w+):\w+[^>]*xmlns:\1="([^"]+)"', found).groups()
        judge(_file(namespace)).validate(found)
        return found.replace(f"{prefix}:", "").replace(f' xmlns:{prefix}="{namespace}"', "")


@contextlib.contextmanager
def serving(tls: ssl.SSLContext | None = None) -> Iterator[Server]:
    """A running Server on a free port; with `tls`, of https://localhost."""
    server = Server()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            server.requests.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
            server.paths.append(self.path)
            if server.hold:
                server.hold.wait()
            self._send(server.status, server.content_type, server.body.encode(), server.headers)

        def do_GET(self):
            name = self.path.rpartition("/")[2]
            known = server.documents.get(name)
            self._send(200 if known else 404, "text/xml", known or b"no", {})

        def _send(self, status, kind, body, headers):
            self.send_response(status)
            for name, value in {"Content-Type": kind, "Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            with contextlib.suppress(OSError):
                self.wfile.write(body)

        def log_message(self, *_args):
            pass

    httpd = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.url = f"http://127.0.0.1:{httpd.server_port}"
    if tls:
        httpd.socket = tls.wrap_socket(httpd.socket, server_side=True, do_handshake_on_connect=False)
        server.url = f"https://localhost:{httpd.server_port}"
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        if server.hold:
            server.hold.set()
        httpd.shutdown()
        thread.join()
        httpd.server_close()
