"""Deliberately wrong servers: each has one fault, and the case that has to catch it.

A fault is a function of the request and of `on`, which passes it on to an honest sandbox and gives its reply.
"""

import dataclasses

import wrong_files
import wrong_http
import wrong_replies
import wrong_requests
from proxy import Spoil


@dataclasses.dataclass(frozen=True)
class Wrong:
    """A wrong server: what it does, and the id of a case that fails for it."""

    name: str
    caught_by: str
    spoil: Spoil


ALL = [
    Wrong(name, caught_by, spoil)
    for module in (wrong_replies, wrong_requests, wrong_http, wrong_files)
    for name, (caught_by, spoil) in module.FAULTS.items()
]
