"""The suite can fail: each of many wrong servers is caught, and an honest one is not."""

import proxy
import pytest
import wrong_servers

from lrs_soap.conformance import case


def test_an_honest_server_passes_every_case(honest, results):
    broken = {id_: result.reason for id_, result in results(honest).items() if result.verdict != case.Verdict.PASSED}
    assert broken == {}


@pytest.mark.parametrize("wrong", wrong_servers.ALL, ids=lambda wrong: wrong.name.replace(" ", "-"))
def test_a_wrong_server_is_caught(sandbox, results, wrong):
    with proxy.in_front(sandbox.port, wrong.spoil) as url:
        (result,) = results(url, wrong.caught_by).values()
    assert result.verdict == case.Verdict.FAILED, result
    assert result.reason


def test_there_are_wrong_servers_for_every_part():
    assert len(wrong_servers.ALL) >= 100
    assert len({wrong.name for wrong in wrong_servers.ALL}) == len(wrong_servers.ALL)


def test_the_page_of_wrong_servers_is_current():
    assert wrong_servers.PAGE.read_text(encoding="utf-8") == wrong_servers.page()
