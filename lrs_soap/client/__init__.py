"""Clients of any LearnerService of the 2008 contract: `LrsClient`, `AsyncLrsClient`, and the exceptions they raise."""

from typing import TYPE_CHECKING, Any

from lrs_soap.client.api import LrsClient
from lrs_soap.client.failures import (
    LrsBatchFailed,
    LrsBatchRefused,
    LrsBatchUnfinished,
    LrsClientError,
    LrsInvalidCall,
    LrsServiceFault,
    LrsTimeout,
    LrsUnexpectedReply,
    LrsUnreachable,
)

if TYPE_CHECKING:
    from lrs_soap.client.aio import AsyncLrsClient

__all__ = [
    "AsyncLrsClient",
    "LrsBatchFailed",
    "LrsBatchRefused",
    "LrsBatchUnfinished",
    "LrsClient",
    "LrsClientError",
    "LrsInvalidCall",
    "LrsServiceFault",
    "LrsTimeout",
    "LrsUnexpectedReply",
    "LrsUnreachable",
]


def __getattr__(name: str) -> Any:
    """AsyncLrsClient when it is asked for: it needs httpx, which is not installed unless it is wanted."""
    if name != "AsyncLrsClient":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from lrs_soap.client import aio

    return aio.AsyncLrsClient
