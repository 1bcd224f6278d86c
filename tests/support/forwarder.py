"""A TCP forwarder in front of a server, which a test can cut: the network between the register and its database."""

import contextlib
import enum
import socket
import threading


class Network(enum.Enum):
    """What the network does: nothing is wrong; connections are refused; they are reset, and new ones taken and never
    answered; or nothing passes any more, and nobody is told."""

    UP = 1
    REFUSING = 2
    SILENT = 3
    STALLED = 4


class Forwarder:
    """Passes connections to `port` of this machine on to another address; `set` breaks those there are."""

    def __init__(self, host: str, port: int):
        self._to = (host, port)
        self._open: set[socket.socket] = set()
        self._network = Network.UP
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def set(self, network: Network) -> None:
        """Changes the network; every connection through it is reset, unless it is stalled."""
        self._network = network
        if network is Network.STALLED:
            return
        for one in list(self._open):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Ends the forwarder."""
        self._listening.close()
        self.set(Network.REFUSING)

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listening.accept()
            except OSError:
                return
            if self._network is Network.REFUSING:
                near.close()
                continue
            self._open.add(near)
            if self._network is Network.UP:
                far = socket.create_connection(self._to)
                self._open.add(far)
                for pair in ((near, far), (far, near)):
                    threading.Thread(target=self._pass_on, args=pair, daemon=True).start()

    def _pass_on(self, source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if self._network is not Network.STALLED:
                    target.sendall(data)
        for one in (source, target):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            self._open.discard(one)
            one.close()
