"""The searches through `rules.matching` and the store, as a find by demographics makes them."""

from collections.abc import Iterable, Iterator

from benchmarks.matching.tally import Answer
from lrs_soap.codes import ResponseCode
from lrs_soap.operations import replies
from lrs_soap.rules import matching
from lrs_soap.store import engine as engines
from lrs_soap.store import matches


def answers(engine, searches: Iterable) -> Iterator[Answer]:
    """What each search gives. Too many matches give nobody."""
    with engines.read(engine) as connection:
        for search in searches:
            query = matching.Query(
                given_name=search.given_name, family_name=search.family_name, date_of_birth=search.date_of_birth,
                gender=search.gender, last_known_post_code=search.last_known_post_code,
            )  # fmt: skip
            if (learner := matches.by_details(connection, query)) is not None:
                yield Answer([learner.uln], True)
                continue
            first = matches.first_candidates(connection, matching.lookups(query))
            decision = replies.decided(connection, query, first, matching.MOST_POSSIBLES)
            ulns = [match.learner.uln for match in decision.matches]
            yield Answer(ulns, decision.outcome is ResponseCode.EXACT_MATCH)
