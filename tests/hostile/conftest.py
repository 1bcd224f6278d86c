import socket
import threading

import pytest
from support import server


@pytest.fixture(scope="session")
def sandbox(sqlite_databases):
    """A running sandbox that logs as a register does, one for all hostile messages: it has to outlive them."""
    url = sqlite_databases.empty()
    with server.running(url, log_format="json", request_timeout_seconds=3, keep_alive_seconds=2, job_workers=0) as running:
        yield running
    sqlite_databases.drop(url)


class Ear:
    """A socket that nobody may connect to. `heard` counts those who did."""

    def __init__(self):
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self.heard = 0
        self._thread = threading.Thread(target=self._listen)
        self._thread.start()

    def _listen(self):
        while True:
            connection, _ = self._listening.accept()
            with connection:
                if connection.recv(4) == b"end\n":
                    return
                self.heard += 1

    def close(self):
        """Counts those who connected until now, and ends."""
        with socket.create_connection(("127.0.0.1", self.port)) as connection:
            connection.sendall(b"end\n")
        self._thread.join()
        self._listening.close()


@pytest.fixture(scope="session")
def ear():
    listening = Ear()
    yield listening
    listening.close()
    assert listening.heard == 0, "something was fetched"
