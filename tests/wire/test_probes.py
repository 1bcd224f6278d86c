"""What those who watch a server see: /readyz and /metrics; and what becomes of an error nobody foresaw."""

import asyncio
import re
import threading
import time

import prometheus_client
import pytest
import structlog
from support import outcomes, server
from structlog.testing import LogCapture

from lrs_soap import contract, metrics, register, settings
from lrs_soap.wire import app, probes, shield

FOUND = outcomes.named("uln-exact").message


def figure(page: str, name: str) -> float:
    (value,) = re.findall(rf"^{re.escape(name)} (\S+)$", page, re.MULTILINE)
    return float(value)


def test_figures_of_all_workers_together(sqlite_databases):
    url = sqlite_databases.sandbox()
    with server.running(url, workers=2, job_workers=0) as running:
        for _ in range(30):
            assert running.post(FOUND).status == 200
        running.post(b"<!DOCTYPE a>")
        # What the other worker counted is seen a little later.
        deadline = time.monotonic() + 20
        while 'operation="learnerByULN"} 30.0' not in (page := running.get("/metrics").body.decode()):
            assert time.monotonic() < deadline, page
            time.sleep(0.1)
        assert running.get("/readyz").body == b'{"status": "ready"}\n'
    sqlite_databases.drop(url)
    assert figure(page, 'lrs_soap_calls_total{code="WSRC0004",operation="learnerByULN"}') == 30
    assert figure(page, 'lrs_soap_call_seconds_count{operation="learnerByULN"}') == 30
    assert figure(page, 'lrs_soap_refused_total{reason="doctype"}') == 1
    assert figure(page, "lrs_soap_database_up") == 1
    assert figure(page, "lrs_soap_connections") >= 1
    assert figure(page, 'lrs_soap_jobs{status="waiting"}') >= 0


def test_what_was_counted_in_memory_is_published_as_if_each_was_observed_alone():
    operation, observed = "of this test alone", (0.0, 0.001, 0.0011, 0.3, 20.0, 21.0)
    for seconds in observed:
        metrics.call(operation, "test", seconds)
        metrics.recalled()
    page = metrics.page(None).decode()
    assert figure(page, f'lrs_soap_calls_total{{code="test",operation="{operation}"}}') == len(observed)
    expected = prometheus_client.Histogram("expected", "", buckets=metrics.BUCKETS, registry=None)
    for seconds in observed:
        expected.observe(seconds)
    (family,) = expected.collect()
    found = {"_bucket": 0, "_sum": 0, "_count": 0}
    for sample in family.samples:
        kind = sample.name.removeprefix("expected")
        if kind in found:
            found[kind] += 1
            labels = "".join(f'{name}="{value}",' for name, value in sample.labels.items()) + f'operation="{operation}"'
            assert figure(page, f"lrs_soap_call_seconds{kind}{{{labels}}}") == pytest.approx(sample.value)
    assert found == {"_bucket": len(metrics.BUCKETS) + 1, "_sum": 1, "_count": 1}


@pytest.mark.parametrize("name", ["X_Forwarded_For", "Forwarded", "Via", "X_Real_IP"])
def test_figures_are_not_shown_through_a_proxy_that_nobody_trusts(sandbox, name):
    assert sandbox.get("/metrics", **{name: "192.0.2.1"}).status == 403


@pytest.mark.parametrize("path", ["/metrics", "/readyz"])
def test_they_take_get_and_head_only(sandbox, path):
    assert sandbox.request("POST", path, b"").status == 405
    assert sandbox.request("HEAD", path).body == b""


@pytest.fixture
def opened(database_url):
    made = register.Register(settings.Settings(database=database_url))
    yield made
    made.close()


def test_ready(opened):
    assert asyncio.run(probes.Probes(opened).state()) == (True, "")


def test_a_database_that_does_not_answer_is_not_waited_for(opened, monkeypatch):
    answer = threading.Event()
    monkeypatch.setattr(probes.schema, "is_current", lambda _engine: answer.wait(20))

    async def ask():
        asking = probes.Probes(opened, patience=0.05)
        states = await asyncio.gather(*(asking.state() for _ in range(10)))
        answer.set()
        return states

    assert {state.why for state in asyncio.run(ask())} == {"the database does not answer in time"}


def test_a_database_of_another_version(opened, monkeypatch):
    monkeypatch.setattr(probes.schema, "HEAD", "9999")
    state = asyncio.run(probes.Probes(opened).state())
    assert (state.ready, state.why) == (False, "the database has the tables of another version")


def test_what_escapes_is_the_declared_fault_and_its_text_is_not_told(opened, monkeypatch):
    made = app.App(opened)
    monkeypatch.setattr(app.origin, "of", lambda *_: {}["Kanarienvogel"])
    sent = []

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": contract.ENDPOINT, "headers": [], "query_string": b""}
    # A logger of this test's own: another test of the process may have had the module's configured for ever.
    captured = LogCapture()
    monkeypatch.setattr(shield, "log", structlog.wrap_logger(None, processors=[captured]))
    asyncio.run(shield.Shield(made)(scope, None, send))
    lines = captured.entries
    assert sent[0]["status"] == 500
    assert b"WSEC0999" in sent[1]["body"]
    assert lines[0]["reference"].encode() in sent[1]["body"]
    assert (lines[0]["type"], lines[0]["event"]) == ("KeyError", "unexpected error")
    assert "Kanarienvogel" not in str(lines) + str(sent)
