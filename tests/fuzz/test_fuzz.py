"""What the fuzzer judges by, without atheris: every seed, every finding of old, and some thousand changes of seeds."""

import random
from pathlib import Path

import pytest
from fuzz import mutation, seeds, target

FINDINGS = sorted((Path(__file__).parent / "findings").glob("*"))


@pytest.fixture(scope="module")
def register(tmp_path_factory):
    made = target.Target(tmp_path_factory.mktemp("register"))
    yield made
    made.close()


def test_seeds(register):
    found = seeds.seeds()
    assert len(found) > 300
    for data in found:
        register.check(data)


def test_changed_seeds(register):
    rng, starts = random.Random(20261123), seeds.seeds()
    others = [start[1:] for start in starts]
    for _ in range(2_000):
        data = mutation.mutate(rng.choice(starts), rng, others)
        try:
            register.check(data)
        except target.Finding as finding:
            pytest.fail(f"{finding}: {data!r}")


@pytest.mark.parametrize("file", FINDINGS, ids=lambda file: file.name)
def test_findings_stay_mended(register, file):
    register.check(file.read_bytes())


FAULT = (
    '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body><e:Fault><faultcode>soapenv:{}</faultcode>'
    '<faultstring>x</faultstring></e:Fault></e:Body></e:Envelope>'
)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (500, b"Internal Server Error"),
        (500, b"<html/>"),
        (500, FAULT.format("Server").encode()),
        (200, FAULT.format("MustUnderstand").encode()),
        (200, b'<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body><a/></e:Body></e:Envelope>'),
    ],
)
def test_wrong_replies_are_findings(status, body):
    with pytest.raises(target.Finding):
        target.judge(status, body)
