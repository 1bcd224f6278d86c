"""The suite can fail: each of many wrong servers is caught. (That an honest one is not: test_reports.)"""

import proxy
import pytest
import wrong_servers

from lrs_soap.conformance import case, catalogue, target


@pytest.mark.parametrize("wrong", wrong_servers.ALL, ids=lambda wrong: wrong.name.replace(" ", "-"))
def test_a_wrong_server_is_caught(sandbox, results, wrong):
    with proxy.in_front(sandbox.port, wrong.spoil) as url:
        found = results(url, *wrong.caught_by)
    for result in found.values():
        assert result.verdict == case.Verdict.FAILED, result
        assert result.reason


def test_every_case_can_fail():
    """Each case has a wrong server that it catches; of those that are made by rule or from a table, one of each kind."""
    kinds = ("facet-", "form-", "outcome-", "schema-", "wsdl-operation-")
    caught = {id_ for wrong in wrong_servers.ALL for id_ in wrong.caught_by}
    ids = {row.id for row in catalogue.cases(target.load(None))}
    assert [id_ for id_ in sorted(ids - caught) if not id_.startswith(kinds)] == []
    assert [kind for kind in kinds if not any(id_.startswith(kind) for id_ in caught)] == []
    assert caught <= ids
    assert len({wrong.name for wrong in wrong_servers.ALL}) == len(wrong_servers.ALL)


def test_the_page_of_wrong_servers_is_current():
    assert wrong_servers.PAGE.read_text(encoding="utf-8") == wrong_servers.page()
