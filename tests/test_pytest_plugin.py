"""The plugin as other people's tests meet it: runs of pytest of their own."""

import os
import re
import subprocess
import sys

import pytest

pytest_plugins = ["pytester"]


@pytest.fixture
def run(pytester, monkeypatch):
    """Runs pytest on a file of tests, in a process of its own, with warnings as errors."""
    monkeypatch.setenv("TMPDIR", str(pytester.mkdir("temporary")))

    def go(text: str, *options: str) -> pytest.RunResult:
        pytester.makepyfile(text)
        return pytester.runpytest_subprocess("-W", "error", *options, timeout=120)

    yield go
    assert [name for name in os.listdir(pytester.path / "temporary") if name.startswith("lrs-soap")] == []


def test_a_fixture_for_each_test_and_one_for_all(run):
    result = run(
        """
        from lrs_soap.codes import ResponseCode

        PORTS = set()

        def test_one(lrs_register, lrs_register_session):
            uln = lrs_register.add_learner(family_name="Archer")
            found = lrs_register.client().learner_by_uln(uln, "Archer", "Alex")
            assert found.response_code == ResponseCode.EXACT_MATCH
            assert lrs_register.calls[-1].operation == "learnerByULN"
            assert lrs_register.wsdl_url.endswith("?wsdl")
            assert lrs_register_session.calls == []
            lrs_register_session.add_learner("9276308686", family_name="Bowman")
            PORTS.update({lrs_register.port, lrs_register_session.port})

        def test_two(lrs_register, lrs_register_session):
            assert lrs_register.calls == []
            registers = {lrs_register: ResponseCode.NO_MATCH, lrs_register_session: ResponseCode.EXACT_MATCH}
            for register, code in registers.items():
                assert register.client(timeout=5).learner_by_uln("9276308686", "Bowman", "Alex").response_code == code
            assert lrs_register.port not in PORTS
            assert lrs_register_session.port in PORTS
        """
    )
    result.assert_outcomes(passed=2)


OVERRIDING = """
import pytest
from lrs_soap.client import LrsServiceFault

@pytest.fixture(scope="session")
def lrs_register_settings():
    return {"known_users_only": True}

def test_it(lrs_register):
    with pytest.raises(LrsServiceFault) as caught:
        lrs_register.client().learner_by_uln("4123001008", "Whitcombe", "Eleanor")
    assert caught.value.error_code == "WSEC0006"
"""


def test_in_parallel_each_worker_has_its_own_and_a_file_its_settings(run, pytester):
    pytester.makepyfile(test_overriding=OVERRIDING)
    result = run(
        """
        import pytest

        @pytest.mark.parametrize("number", range(6))
        def test_it(lrs_register, lrs_register_session, number):
            assert lrs_register.calls == []
            uln = lrs_register.add_learner(family_name="Archer")
            assert lrs_register.client().learner_by_uln(uln, "Archer", "Alex").learner[0].uln == uln
            assert len(lrs_register.calls) == 1
            lrs_register_session.add_learner()
        """,
        "-n", "2",
    )  # fmt: skip
    result.assert_outcomes(passed=7)


def test_a_run_that_is_stopped_or_fails_leaves_nothing_either(run):
    result = run(
        """
        def test_fails(lrs_register):
            lrs_register.client().learner_by_uln("4123001008", "Whitcombe", "Eleanor")
            assert False

        def test_is_interrupted(lrs_register):
            raise KeyboardInterrupt
        """
    )
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines("*KeyboardInterrupt*")


def test_the_fixtures_are_listed_with_what_they_are_for(run):
    result = run("", "--fixtures", "-q")
    result.stdout.fnmatch_lines(["lrs_register*", "*A private LearnerService for this test alone*"])
    result.stdout.fnmatch_lines(["lrs_register_session*", "*for all tests of this run*"])


def test_who_does_not_use_them_pays_nothing(run):
    result = run(
        """
        import sys

        def test_it(pytestconfig):
            assert pytestconfig.pluginmanager.hasplugin("lrs_soap")
            found = {name for name in sys.modules if name.partition(".")[0] == "lrs_soap"}
            assert found == {"lrs_soap", "lrs_soap.pytest_plugin"}
        """
    )
    result.assert_outcomes(passed=1)


def test_loading_it_imports_nothing_but_pytest():
    script = ("import sys, pytest; before = set(sys.modules); import lrs_soap.pytest_plugin\n"
              "print(sorted(set(sys.modules) - before))")  # fmt: skip
    printed = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert re.findall(r"'([\w.]+)'", printed) == ["lrs_soap", "lrs_soap.pytest_plugin"]
