"""Every case of the suite, in the order of its report."""

from lrs_soap.conformance import case, target
from lrs_soap.conformance.behaviour import (
    batches,
    finds,
    http,
    outcomes,
    records,
    registering,
    updates,
    verifying,
)
from lrs_soap.conformance.contract_cases import clients, facets, files, forms, shape
from lrs_soap.conformance.profile import descriptions, headers, messages, receiving


def cases(about: target.Target) -> list[case.Case]:
    """The cases for a target. Those of its table of outcomes are made from that, or, without one, from the sandbox's, so
    that the report can say that they were not run."""
    books = (
        *(messages.BOOK, receiving.BOOK, headers.BOOK, descriptions.BOOK),
        *(files.BOOK, shape.BOOK, clients.BOOK, forms.BOOK, facets.BOOK),
        *(http.BOOK, finds.BOOK, registering.BOOK, updates.BOOK, verifying.BOOK, batches.BOOK, records.BOOK),
        outcomes.book(about.outcomes or target.sandbox_outcomes()),
    )
    return [row for book in books for row in book]
