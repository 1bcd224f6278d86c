"""A server whose processes are replaced, and one that is stopped, under callers who keep their connections: no call is lost."""

import http.client
import os
import signal
import threading
import time

import pytest
from support import server, soap

from lrs_soap import contract

WHO = {"OrganisationRef": "SAND01", "OrgPassword": "sandbox-password", "UserName": "J. College"}
CALL = soap.message("learnerByULN", WHO | {"FindType": "FUL", "ULN": "9276308686", "GivenName": "A", "FamilyName": "B"})
HEADERS = {"Content-Type": "text/xml; charset=utf-8"}
ROUNDS = int(os.environ.get("LRS_TEST_RESTARTS", "2"))
CALLERS = 6


class Caller(threading.Thread):
    """Calls again and again on one connection, and opens another only when told `Connection: close`.

    lost: what happened to calls that were sent on a connection in use and not answered; refused: connections that were
    not taken, or that nobody had answered on yet.
    """

    def __init__(self, port: int, pause: float):
        super().__init__()
        self._port, self._pause = port, pause
        self._end = threading.Event()
        self.answered = self.told = self.refused = 0
        self.lost: list[str] = []
        self.start()

    def run(self) -> None:
        while not self._end.is_set() and not self.refused:
            connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=20)
            try:
                connection.connect()
            except OSError:
                self.refused += 1
                return
            try:
                self._call_on(connection)
            finally:
                connection.close()

    def _call_on(self, connection: http.client.HTTPConnection) -> None:
        used = False
        while not self._end.is_set():
            try:
                connection.request("POST", contract.ENDPOINT, CALL, HEADERS)
                response = connection.getresponse()
                response.read()
                assert response.status == 200
            except (OSError, http.client.HTTPException, AssertionError) as error:
                if used:
                    self.lost.append(repr(error))
                else:
                    self.refused += 1
                return
            self.answered, used = self.answered + 1, True
            if response.will_close:
                self.told += 1
                return
            time.sleep(self._pause)

    def stop(self) -> None:
        self._end.set()
        self.join()


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children") as file:
        return set(map(int, file.read().split()))


def eventually(attempt, seconds=60.0):
    until = time.monotonic() + seconds
    while not attempt():
        assert time.monotonic() < until, "not in time"
        time.sleep(0.1)


@pytest.fixture(scope="module")
def running(sqlite_databases):
    url = sqlite_databases.empty()
    with server.running(url, workers=2, keep_alive_seconds=3) as started:
        yield started
    sqlite_databases.drop(url)


def test_processes_are_replaced_without_a_failed_call(running):
    pid = running.process.pid
    callers = [Caller(running.port, pause) for pause in [0.0, 0.0, 0.01, 0.01, 0.5, 1.5]]
    try:
        for _ in range(ROUNDS):
            before = children(pid)
            assert len(before) == 3
            os.kill(pid, signal.SIGHUP)
            eventually(lambda old=before: len(children(pid)) == 3 and not children(pid) & old)
        time.sleep(0.5)
    finally:
        for caller in callers:
            caller.stop()
    assert [caller.lost for caller in callers] == [[]] * len(callers)
    assert not any(caller.refused for caller in callers)
    assert all(caller.answered > ROUNDS and caller.told for caller in callers)


def test_a_stopped_server_answers_what_was_sent(running):
    callers = [Caller(running.port, 0.005 * number) for number in range(CALLERS)]
    time.sleep(0.5)
    began = time.monotonic()
    running.process.send_signal(signal.SIGTERM)
    assert running.process.wait(20) == 0
    assert time.monotonic() - began < 10
    for caller in callers:
        caller.join()
    assert [caller.lost for caller in callers] == [[]] * len(callers)
    assert all(caller.answered and caller.refused for caller in callers)
    assert any(caller.told for caller in callers)
