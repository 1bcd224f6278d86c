"""Whatever answers, a run ends with a judgement of every case and never with an error of its own."""

import collections

import pytest
import strange_servers

from lrs_soap.conformance import case

SAMPLE = [
    "R1000-fault-children", "R1010-xml-declaration-accepted", "R1113-malformed-http-400", "R1114-405-for-other-methods",
    "R1115-415-for-other-content-types", "R1141-http-10", "R2304-operation-names-distinct", "R2801-schemas-compile",
    "wsdl-names", "replies-valid-lxml", "replies-valid-xmlschema", "zeep-finds", "zeep-sees-the-declared-fault",
    "form-learnerByULN-missing", "facet-learnerByULN-ULN", "http-chunked-request", "http-keep-alive", "find-exact",
    "find-nobody-else", "register-then-found", "update-raises-version", "verify-match", "batch-output-in-order",
    "retrieve-values", "record-shown", "report-found", "outcome-find-exact", "soap-not-xml", "passwords-are-not-told",
]  # fmt: skip


@pytest.mark.parametrize("name", strange_servers.STRANGE)
def test_a_strange_server(name, results):
    with strange_servers.listening(strange_servers.STRANGE[name]) as url:
        found = results(url, *SAMPLE, timeout=0.3, parallel=4)
    verdicts = collections.Counter(result.verdict for result in found.values())
    assert [result for result in found.values() if result.verdict == case.Verdict.ERROR] == []
    assert verdicts[case.Verdict.FAILED] >= len(SAMPLE) // 3
    assert verdicts[case.Verdict.PASSED] <= 4, verdicts


_WSDL = b'''<w:definitions xmlns:w="http://schemas.xmlsoap.org/wsdl/" xmlns:x="http://www.w3.org/2001/XMLSchema">%b</w:definitions>'''
_INLINE = b"<w:types><x:schema targetNamespace='urn:x'><x:element name='a' type='x:%b'/></x:schema></w:types>"


@pytest.mark.parametrize(
    ("types", "verdict"),
    [(b"", case.Verdict.FAILED), (_INLINE % b"string", case.Verdict.PASSED), (_INLINE % b"strong", case.Verdict.FAILED)],
    ids=["no schemas", "schemas in the WSDL", "wrong schemas in the WSDL"],
)
def test_the_wsdl_of_another_service(results, types, verdict):
    with strange_servers.listening(strange_servers.whole(_WSDL % types)) as url:
        (result,) = results(url, "R2801-schemas-compile").values()
    assert result.verdict == verdict, result


def test_an_endless_reply_is_cut_off(results):
    with strange_servers.listening(strange_servers.ENDLESS) as url:
        (result,) = results(url, "find-exact").values()
    assert result.verdict == case.Verdict.FAILED
    assert "longer than" in result.reason


def test_a_run_gives_up_on_a_service_that_stopped_answering(results):
    with strange_servers.listening(strange_servers.STRANGE["silence"]) as url:
        found = results(url, timeout=0.1, parallel=8)
    waited = [result for result in found.values() if "stopped answering" in result.reason]
    assert len(waited) > len(found) / 2
    assert {result.verdict for result in waited} == {case.Verdict.NOT_RUN}
