"""How a fault is made: what a wrong server does to requests and replies, and the cases that have to catch it."""

import re
from collections.abc import Callable

from proxy import Got, Sent, Spoil


class Faults(dict[str, tuple[str, Spoil]]):
    """Wrong servers by name: the ids of the cases that catch each, with spaces between, and what it does."""

    def server(self, cases: str) -> Callable[[Spoil], Spoil]:
        """Decorates a function of the request and of `on`, which passes it on; its docstring names the server."""

        def decorate(spoil: Spoil) -> Spoil:
            self[spoil.__doc__] = (cases, spoil)
            return spoil

        return decorate

    def reply(self, cases: str) -> Callable[[Callable[[Got], object]], Callable]:
        """Decorates a function that changes a reply with a SOAP envelope; its docstring names the server."""

        def decorate(change: Callable[[Got], object]) -> Callable:
            def spoil(sent: Sent, on) -> Got:
                got = on(sent)
                if sent.is_call and b"Envelope" in got.body:
                    change(got)
                return got

            self[change.__doc__] = (cases, spoil)
            return change

        return decorate

    def replaces(self, name: str, cases: str, pattern: str, by: str, where: str = "") -> None:
        """Adds a server that replaces, in every reply, what fits a pattern. where: only in replies to requests with it."""

        def spoil(sent: Sent, on) -> Got:
            fits = sent.is_call and where.encode() in sent.body
            got = on(sent)
            if fits:
                got.body = re.sub(pattern.encode(), by.encode(), got.body, flags=re.DOTALL)
            return got

        self[name] = (cases, spoil)

    def reads(self, name: str, cases: str, pattern: str, by: str) -> None:
        """Adds a server that reads a request as if what fits a pattern were something else."""

        def spoil(sent: Sent, on) -> Got:
            if sent.is_call:
                sent.body = re.sub(pattern.encode(), by.encode(), sent.body, flags=re.DOTALL)
            return on(sent)

        self[name] = (cases, spoil)

    def refuses(self, name: str, cases: str, pattern: str) -> None:
        """Adds a server that answers WSEC0001 to what fits a pattern."""

        def spoil(sent: Sent, on) -> Got:
            if sent.is_call and re.search(pattern.encode(), sent.body, re.DOTALL):
                sent.body = sent.body.replace(b"</OrgPassword>", b"</OrgPassword><No/>")
            return on(sent)

        self[name] = (cases, spoil)
