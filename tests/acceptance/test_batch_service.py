"""Batches over SOAP against the running server and `lrs-soap worker`, on both databases."""

import contextlib
import os
import signal
import subprocess
import sys
import time

import pytest
from support import batches, server, soap

from lrs_soap import contract

WHO = {"OrganisationRef": "SAND01", "OrgPassword": "sandbox-password", "UserName": "J. College"}
NAMES = {contract.attribute_name(field.name): field.name for field in contract.TYPES["BatchLearner"].fields}
PEOPLE = [person for person, _ in zip(batches.people(), range(200), strict=False)]


@pytest.fixture
def url(databases):
    made = databases.sandbox()
    yield made
    databases.drop(made)


def call(running, operation, **values):
    return soap.answer(running.post(soap.message(operation, WHO | values)))


def submit(running, people, job_type="FUL"):
    sent = [{NAMES[name]: value for name, value in person.items()} for person in people]
    answer = call(running, "submitBatchRegistration", JobType=job_type, LearnerRecordCount=str(len(sent)), Learner=sent)
    assert answer.text("ResponseCode") == "WSRC0007"
    return answer.text("JobID")


def output(running, job_id, operation="getBatchRegistrationOutput"):
    deadline = time.monotonic() + 30
    while (answer := call(running, operation, JobID=job_id)).texts("ResponseCode")[0] == "WSRC0008":
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert answer.texts("ResponseCode")[0] == "WSRC0009"
    return answer


@contextlib.contextmanager
def workers(url, number):
    environment = os.environ | {"LRS_SOAP_DATABASE": url, "LRS_SOAP_LOG_FORMAT": "text"}
    started = [
        subprocess.Popen([sys.executable, "-c", server.START, "worker"], env=environment, stderr=subprocess.PIPE, text=True)
        for _ in range(number)
    ]
    try:
        for process in started:
            assert "batch worker started" in process.stderr.readline()
        yield started
    finally:
        for process in started:
            process.send_signal(signal.SIGTERM)
        codes, logs = [process.wait(20) for process in started], [process.stderr.read() for process in started]
        for process in started:
            process.stderr.close()
    assert codes == [0] * number
    assert "job finished" in "".join(logs) and PEOPLE[0]["family_name"] not in "".join(logs)


def test_a_server_works_on_its_batches(url):
    with server.running(url) as running:
        registered = output(running, submit(running, PEOPLE))
        assert registered.texts("ReturnCode") == ["RC001"] * 200
        assert registered.texts("MISIdentifier") == [person["mis_identifier"] for person in PEOPLE]
        assert len(set(registered.texts("ULN"))) == 200
        assert registered.text("NewLearnersCount") == "200"
        checked = output(running, submit(running, PEOPLE[::-1], "CHK"))
        assert checked.texts("ULN") == registered.texts("ULN")[::-1]
        asked = [{"ULN": uln, "FamilyName": person["family_name"], "GivenName": "Zebedee"}
                 for uln, person in zip(registered.texts("ULN"), PEOPLE, strict=True)]  # fmt: skip
        submitted = call(running, "submitVerifyBatch", LearnerRecordCount="200", Learner=asked)
        verified = output(running, submitted.text("JobID"), "getVerifyBatchOutput")
        assert verified.texts("ResponseCode") == ["WSRC0009"] + ["WSVRC005"] * 200
        assert PEOPLE[0]["family_name"] not in running.output


def test_workers_elsewhere_do_what_a_server_leaves_to_them(url):
    with server.running(url, job_workers=0) as running:
        jobs = [submit(running, PEOPLE[start : start + 20]) for start in range(0, 200, 20)]
        time.sleep(0.5)  # a worker of the server would have begun
        assert call(running, "getBatchRegistrationOutput", JobID=jobs[0]).text("JobStatus") == "Waiting"
        with workers(url, 2):
            done = [output(running, job) for job in jobs]
    assert [code for answer in done for code in answer.texts("ReturnCode")] == ["RC001"] * 200


def test_a_batch_worker_of_the_server_that_is_killed_is_replaced(url):
    with server.running(url, log_format="json", job_lease_seconds=0.5) as running:
        output(running, submit(running, PEOPLE[:1]))
        (pid,) = pids(running)
        os.kill(pid, signal.SIGKILL)
        assert output(running, submit(running, PEOPLE[1:3])).texts("ReturnCode") == ["RC001"] * 2
        deadline = time.monotonic() + 20
        while len(pids(running)) < 2:
            assert time.monotonic() < deadline
            time.sleep(0.05)


def pids(running):
    """The process ids of the server's batch workers, in the order they started."""
    lines = [line for line in running.output.splitlines() if "batch worker started" in line]
    return [int(line.partition('"pid": ')[2].partition(",")[0].rstrip("}")) for line in lines]


def test_a_worker_without_a_register_says_so(tmp_path):
    environment = os.environ | {"LRS_SOAP_DATABASE": f"sqlite:///{tmp_path}/none.db"}
    done = subprocess.run([sys.executable, "-c", server.START, "worker"], env=environment, capture_output=True, text=True,
                          check=False)  # fmt: skip
    assert done.returncode == 6 and "holds no register" in done.stderr
    assert list(tmp_path.iterdir()) == []
