"""A register as the tests of merges use it: a college that calls operations, and an operator who decides."""

import contextlib
import datetime
from collections.abc import Iterator

from lrs_soap import model, register, settings
from lrs_soap.operations import find, merging, reports, verify
from lrs_soap.operations import register as registering
from lrs_soap.rules import access
from lrs_soap.store import engine as engines
from lrs_soap.store import learners, organisations

NOON = datetime.datetime(2026, 11, 23, 12, tzinfo=datetime.UTC)
ANN = {"given_name": "Ann", "family_name": "Archer", "date_of_birth": "2001-02-03", "gender": "2",
       "last_known_post_code": "AB1 2DE"}  # fmt: skip
MARY = ANN | {"given_name": "Mary", "family_name": "Bishop", "last_known_post_code": "CV1 2WT"}
KIT = ANN | {"given_name": "Kit", "family_name": "Carter", "date_of_birth": "1999-12-31",
             "last_known_post_code": "LS6 2AB"}  # fmt: skip
_IDENTIFIED = {"org_password": "-" * 16, "user_name": "J. College"}


class Desk:
    """The register at a URL. Every method is one call or one decision; those of the college audit as the server does."""

    def __init__(self, url: str):
        self.register = register.Register(settings.load(database=url))
        self.college = self.organisation("TEST38")

    def organisation(self, reference: str) -> register.Caller:
        """A new organisation with every right."""
        with engines.write(self.register.engine) as connection:
            id_ = organisations.add(connection, organisation_ref=reference, ukprn=reference + "00", name=reference,
                                    password_hash="-", rights=access.ALL)  # fmt: skip
        return register.Caller(organisation_id=id_, reference=reference, rights=access.ALL, user_name="J. College")

    def call(self, function, request, caller=None, at=NOON):
        """One call of an operation; its audit is written when it returns."""
        call = register.Call(register=self.register, request_id="0", caller=caller or self.college, at=at,
                             operation=_NAMES[function], user_name="J. College")  # fmt: skip
        reply = function(call, request)
        call.finish()
        self.register.audit.flush()
        return reply

    def new(self, details, **more) -> str:
        """Registers a learner and gives its ULN."""
        reply = self.registered(details, **more)
        assert reply.response_code == "WSRC0005"
        return reply.uln

    def registered(self, details, **more):
        wanted = model.LearnerToRegister(**details, verification_type="2", ability_to_share="1")
        return self.call(registering.register_single_learner, model.RegisterSingleLearnerRqst(learner=wanted, **_IDENTIFIED),
                         **more)  # fmt: skip

    def updated(self, uln: str, version: int, details) -> str:
        """Updates a learner and gives the ResponseCode."""
        wanted = model.LearnerToUpdate(**details, verification_type="2", ability_to_share="1", uln=uln, version_number=version)
        request = model.UpdateLearnerRqst(learner=wanted, **_IDENTIFIED)
        return self.call(registering.update_single_learner, request).response_code

    def by_uln(self, uln: str, details):
        request = model.LearnerByULNRqst(find_type="FUL", uln=uln, given_name=details["given_name"],
                                         family_name=details["family_name"], **_IDENTIFIED)  # fmt: skip
        return self.call(find.learner_by_uln, request)

    def by_demographics(self, details, **more):
        request = model.LearnerByDemographicsRqst(find_type="FUL", **details, **_IDENTIFIED)
        return self.call(find.learner_by_demographics, request, **more)

    def retrieved(self, *ulns: str, **more):
        request = model.RetrieveULNsRqst(ulns_to_retrieve=model.MIAPULNsToRetrieve(uln=ulns), **_IDENTIFIED)
        return self.call(find.retrieve_ulns, request, **more).retrieved_ulns.verified_uln

    def verified(self, uln: str, details):
        asked = {name: details[name] for name in ("given_name", "family_name", "date_of_birth", "gender")}
        request = model.VerifyLearnerRqst(learner_to_verify=model.MIAPLearnerToVerify(uln=uln, **asked), **_IDENTIFIED)
        return self.call(verify.verify_learner, request).verified_learner

    def merge_report(self, from_date="2026-11-01", to_date=None, **more):
        request = model.ULNReportRqst(from_date=from_date, to_date=to_date, **_IDENTIFIED)
        return self.call(reports.get_merged_unmerged_ulns_report, request, **more)

    def deletion_report(self, from_date="2026-11-01", to_date=None, **more):
        request = model.ULNReportRqst(from_date=from_date, to_date=to_date, **_IDENTIFIED)
        return self.call(reports.get_deleted_ulns_report, request, **more)

    def decide(self, function, *ulns: str, at=NOON, reason="registered twice"):
        """What the operator decides: a function of `operations.merging`, in a transaction of its own."""
        with engines.write(self.register.engine) as connection:
            return function(connection, *ulns, merging.Act(user_name="J. Operator", reason=reason, at=at))

    def merge(self, merged: str, master: str, **more):
        return self.decide(merging.merge, merged, master, **more)

    def unmerge(self, uln: str, **more):
        return self.decide(merging.unmerge, uln, **more)

    def delete(self, uln: str, **more):
        return self.decide(merging.delete, uln, **more)

    def restore(self, uln: str, **more):
        return self.decide(merging.restore, uln, **more)

    def held(self, uln: str) -> learners.StoredLearner | None:
        """The learner as it is stored."""
        with engines.read(self.register.engine) as connection:
            return learners.by_uln(connection, uln)


_NAMES = {
    find.learner_by_uln: "learnerByULN",
    find.learner_by_demographics: "learnerByDemographics",
    find.retrieve_ulns: "retrieveULNs",
    registering.register_single_learner: "registerSingleLearner",
    registering.update_single_learner: "updateSingleLearner",
    verify.verify_learner: "verifyLearner",
    reports.get_merged_unmerged_ulns_report: "getMergedUnmergedULNsReport",
    reports.get_deleted_ulns_report: "getDeletedULNsReport",
}


@contextlib.contextmanager
def opened(url: str) -> Iterator[Desk]:
    """A desk at the register of the URL, closed at the end."""
    desk = Desk(url)
    try:
        yield desk
    finally:
        desk.register.close()
