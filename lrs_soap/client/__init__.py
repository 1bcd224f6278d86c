"""A client of any LearnerService of the 2008 contract: `LrsClient`, and the exceptions it raises."""

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

__all__ = [
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
