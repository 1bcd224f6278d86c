"""What a case may do: send, receive, and look at what the run knows. Everything said is recorded."""

import dataclasses
import random
import threading
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urljoin, urlsplit, urlunsplit

from lrs_soap import contract
from lrs_soap.conformance import case, messages, replies, target, wire

XML = "text/xml; charset=utf-8"
# P: how often, and for how long, a batch is asked for before a case gives up; in seconds.
POLL_SECONDS = 0.25
POLL_LONGEST = 30.0
_SYLLABLES = ("bar", "cor", "dun", "fel", "gris", "hul", "jep", "kov", "lim", "mur", "nar", "pol", "quin", "rost", "tev",
              "vor", "wex", "zan")  # fmt: skip


@dataclasses.dataclass(slots=True)
class Session:
    """One run: where, about whom, and what was received so far.

    url: the endpoint. client: makes an LrsClient for the endpoint, from its keyword arguments.
    """

    url: str
    target: target.Target
    wire: wire.Wire
    client: Callable[..., Any]
    read_only: bool = False
    heard: list[wire.Exchange] = dataclasses.field(default_factory=list)
    documents: dict[str, wire.Exchange] = dataclasses.field(default_factory=dict)
    census: list | None = None
    sampled: bool = False
    silence: int = 0  # how many requests in a row had no reply
    lock: threading.RLock = dataclasses.field(default_factory=threading.RLock)
    # Names nobody has, so that a run can register people and the next run others.
    dice: random.Random = dataclasses.field(default_factory=random.SystemRandom)

    @property
    def wsdl_url(self) -> str:
        """Where the WSDL is."""
        return urlunsplit(urlsplit(self.url)._replace(query="wsdl"))


class Talk:
    """The conversation of one case."""

    def __init__(self, session: Session):
        self.session = session
        self.target = session.target
        self.exchanges: list[wire.Exchange] = []

    def note(self, exchange: wire.Exchange) -> wire.Exchange:
        """Records an exchange that was made on a connection of the case's own."""
        self.exchanges.append(exchange)
        with self.session.lock:
            self.session.heard.append(exchange)
            self.session.silence = 0 if exchange.status else self.session.silence + 1
        return exchange

    def send(self, method: str, url: str = "", body: bytes = b"", **headers: str) -> wire.Exchange:
        """Any request; an underscore in the name of a header stands for a hyphen."""
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.note(self.session.wire.send(method, url or self.session.url, body, given))

    def post(self, body: bytes, url: str = "", **headers: str) -> wire.Exchange:
        """A SOAP message as text/xml in UTF-8 with SOAPAction "", unless the headers say otherwise."""
        return self.send("POST", url, body, **{"Content_Type": XML, "SOAPAction": '""'} | headers)

    def document(self, url: str = "") -> wire.Exchange:
        """The WSDL, or what is at a URL; asked for once in a run. Raises Failed if there is none."""
        url = urljoin(self.session.wsdl_url, url) if url else self.session.wsdl_url
        if not self.session.wire.same_host(url):
            raise case.Failed(f"{case.brief(url)} is on another host, which is not asked")
        with self.session.lock:
            if url not in self.session.documents:
                self.session.documents[url] = self.session.wire.send("GET", url)
            exchange = self.session.documents[url]
        if exchange not in self.exchanges:
            self.exchanges.append(exchange)
        if exchange.problem or exchange.status != 200:
            raise case.Failed(f"GET {case.brief(url)}: {exchange.problem or f'HTTP {exchange.status}'}")
        return exchange

    def values(self, organisation: str = "main", **more: Any) -> dict[str, Any]:
        """Who calls, as elements."""
        if organisation not in self.target.organisations:
            raise case.NotRun(f"the target file has no organisations.{organisation}")
        return self.target.organisations[organisation].identified() | {"UserName": self.target.user_name} | more

    def message(self, operation: str, values: dict[str, Any], organisation: str = "main") -> bytes:
        """The envelope of a call."""
        return messages.message(operation, self.values(organisation) | values)

    def call(self, operation: str, values: dict[str, Any], organisation: str = "main") -> replies.Answer:
        """Calls an operation and reads the answer. Raises Failed if it is no SOAP answer at all."""
        return replies.read(self.post(self.message(operation, values, organisation)))

    def learner(self, role: str) -> dict[str, str]:
        """The known learner of that role. Raises NotRun if the target file has none."""
        if role not in self.target.learners:
            raise case.NotRun(f"the target file has no learners.{role}")
        return dict(self.target.learners[role])

    def find(self, learner: dict[str, str], find_type: str = "FUL", **more: Any) -> replies.Answer:
        """learnerByDemographics with the five details of a learner."""
        return self.call("learnerByDemographics", {"FindType": find_type} | five(learner) | more)

    def find_uln(self, learner: dict[str, str], find_type: str = "FUL", **more: Any) -> replies.Answer:
        """learnerByULN with the ULN and names of a learner."""
        names = {name: learner[name] for name in ("ULN", "FamilyName", "GivenName")}
        return self.call("learnerByULN", {"FindType": find_type} | names | more)

    def fault(self) -> replies.Answer:
        """An answer that is a fault: the request lacks a mandatory element."""
        return self.call("learnerByULN", {"FindType": "FUL", "ULN": "4123999998", "GivenName": "Ann"})

    def nobody(self) -> dict[str, str]:
        """The details of a person whom no register can know: invented at random."""
        dice = self.session.dice
        names = ["".join(dice.choice(_SYLLABLES) for _ in range(4)).title() for _ in range(2)]
        return {
            "FamilyName": names[0],
            "GivenName": names[1],
            "DateOfBirth": f"{dice.randint(1980, 2008)}-{dice.randint(1, 12):02}-{dice.randint(1, 28):02}",
            "Gender": dice.choice("12"),
            "LastKnownPostCode": f"ZE{dice.randint(1, 9)} {dice.randint(1, 9)}{dice.choice('ABDEFG')}{dice.choice('ABDEFG')}",
        }

    def registered(self, **more: str) -> dict[str, str]:
        """A new learner, registered now: the details with the ULN. Raises Failed if that was not done."""
        person = self.nobody() | more
        answer = self.register(person).expect("WSRC0005")
        case.require(answer.text("ULN"), "WSRC0005 came without a ULN")
        return person | {"ULN": answer.text("ULN")}

    def register(self, person: dict[str, str]) -> replies.Answer:
        """registerSingleLearner."""
        given = {"VerificationType": "2", "AbilityToShare": "1"} | {k: v for k, v in person.items() if k != "ULN"}
        return self.call("registerSingleLearner", {f"Learner.{name}": value for name, value in given.items()})

    def update(self, person: dict[str, str], version: str, **more: str | None) -> replies.Answer:
        """updateSingleLearner with all of `person`, `more` replacing."""
        given = {"VerificationType": "2", "AbilityToShare": "1"} | person | {"VersionNumber": version} | more
        return self.call("updateSingleLearner", {f"Learner.{k}": v for k, v in given.items() if v is not None})

    def stored(self, person: dict[str, str]) -> Any:
        """The Learner element that the register gives for a learner's five details. Raises Failed if it is not one."""
        found = self.find(person).expect("WSRC0004").learners()
        case.equal(len(found), 1, "the number of learners of an exact match")
        return found[0]

    def output(self, operation: str, job: str, organisation: str = "main") -> replies.Answer:
        """The output of a batch, asked for until it is finished. Raises Failed if it is not within POLL_LONGEST."""
        deadline = time.monotonic() + POLL_LONGEST
        while True:
            answer = self.call(operation, {"JobID": job}, organisation)
            if answer.code != "WSRC0008":
                return answer
            if time.monotonic() > deadline:
                raise case.Failed(f"the batch was not finished after {POLL_LONGEST:g} seconds")
            time.sleep(POLL_SECONDS)


def five(learner: dict[str, str]) -> dict[str, str]:
    """The five details that identify a learner."""
    return {name: learner[name] for name in FIVE}


FIVE = ("FamilyName", "GivenName", "DateOfBirth", "Gender", "LastKnownPostCode")
OPERATIONS = tuple(contract.OPERATIONS)
WRITING = ("registerSingleLearner", "updateSingleLearner", "submitBatchRegistration", "submitVerifyBatch")
