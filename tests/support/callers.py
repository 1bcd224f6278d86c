"""Colleges that call a server which dies under them, and remember what they were told."""

import dataclasses
import http.client
import itertools
import threading
import time

from support import batches, server, soap

from lrs_soap import contract

WHO = {"OrganisationRef": "SAND01", "OrgPassword": "sandbox-password", "UserName": "J. College"}
_NAMES = {contract.attribute_name(field.name): field.name for field in contract.TYPES["BatchLearner"].fields}
_BATCH = 7


@dataclasses.dataclass
class Told:
    """What was acknowledged: ULN by family name, the notes of each update by ULN, and who is in which job."""

    ulns: dict[str, str] = dataclasses.field(default_factory=dict)
    notes: dict[str, list[str]] = dataclasses.field(default_factory=dict)
    jobs: dict[int, list[str]] = dataclasses.field(default_factory=dict)
    cut: int = 0
    faults: list[str] = dataclasses.field(default_factory=list)

    def __str__(self) -> str:
        updates = sum(map(len, self.notes.values()))
        return (f"{len(self.ulns)} registered, {updates} updates, {len(self.jobs)} batches; "
                f"{self.cut} calls cut, {len(self.faults)} faults")  # fmt: skip


class Callers:
    """Threads that register, update and submit until `stop`."""

    def __init__(self, port: int, number: int = 3):
        self.told = Told()
        self._port = port
        self._people = batches.people()
        self._lock, self._stopped = threading.Lock(), threading.Event()
        self._threads = [threading.Thread(target=self._watched) for _ in range(number)]
        for thread in self._threads:
            thread.start()

    def stop(self) -> Told:
        """Ends the threads after the call they are at."""
        self._stopped.set()
        for thread in self._threads:
            thread.join()
        return self.told

    def _person(self) -> dict[str, str]:
        with self._lock:
            person = next(self._people)
        return {_NAMES[name]: value for name, value in person.items() if name != "mis_identifier"}

    def _watched(self) -> None:
        try:
            self._work()
        except Exception as error:
            self.told.faults.append(repr(error))  # a thread's own end would be seen by nobody
            raise

    def _work(self) -> None:
        for turn in itertools.count():
            if self._stopped.is_set():
                return
            if turn % 5 == 4:
                people = [self._person() | {"MISIdentifier": str(number)} for number in range(_BATCH)]
                answer = self._call("submitBatchRegistration", JobType="FUL", LearnerRecordCount=str(_BATCH), Learner=people)
                if answer is not None:
                    self.told.jobs[int(answer.text("JobID"))] = [person["FamilyName"] for person in people]
            else:
                self._register_and_update()

    def _register_and_update(self) -> None:
        person = self._person()
        details = {f"Learner.{name}": value for name, value in person.items()}
        answer = self._call("registerSingleLearner", **details)
        if answer is None:
            # Nobody knows whether it was done. Who asks again must not make a second learner.
            answer = self._call("registerSingleLearner", **details)
        if answer is None or answer.text("ResponseCode") != "WSRC0005":
            return
        uln = answer.text("ULN")
        self.told.ulns[person["FamilyName"]] = uln
        for version in (1, 2):
            note = f"note {version}"
            changed = {"Learner.ULN": uln, "Learner.VersionNumber": str(version), "Learner.Notes": note}
            answer = self._call("updateSingleLearner", **details | changed)
            if answer is None:
                return
            assert answer.texts("ULN") in ([], [uln])
            self.told.notes.setdefault(uln, []).append(f"{note} {answer.text('ResponseCode')}")

    def _call(self, operation: str, **values):
        """The answer, or None if the connection broke off."""
        try:
            connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=20)
            try:
                connection.request("POST", contract.ENDPOINT, soap.message(operation, WHO | values),
                                   {"Content-Type": "text/xml; charset=utf-8"})  # fmt: skip
                answer = soap.answer(server.read(connection.getresponse()))
            finally:
                connection.close()
        except (OSError, http.client.HTTPException):
            self.told.cut += 1
            time.sleep(0.01)
            return None
        if answer.is_fault:
            self.told.faults.append(f"{operation} {answer.text('ErrorCode')} {answer.texts('FurtherDetails')}")
            time.sleep(0.01)
            return None
        return answer
