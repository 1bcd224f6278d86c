"""One typed method for each operation of the WSDL that has one; each is a `call`.

`python -m lrs_soap.client.asyncgen` makes aiooperations.py from this file.
"""

import datetime
from collections.abc import Iterable
from typing import Any

from lrs_soap import codes, model


class Operations:
    """The operations by name, for a client that can `call`."""

    def call(self, operation: str, **parameters) -> Any:
        """Calls any operation of the WSDL."""
        raise NotImplementedError

    def learner_by_uln(
        self, uln: str, family_name: str, given_name: str, *, find_type: str = codes.FindType.FULL
    ) -> model.FindLearnerResp:
        """The learner with this ULN, if both names are the learner's. find_type CHK asks for the code alone."""
        return self.call(
            "learnerByULN", find_type=find_type, uln=uln, family_name=family_name, given_name=given_name
        )

    def learner_by_demographics(
        self,
        family_name: str,
        given_name: str,
        date_of_birth: str | datetime.date,
        gender: str,
        last_known_post_code: str,
        *,
        find_type: str = codes.FindType.FULL,
        **narrower: str | None,
    ) -> model.FindLearnerResp:
        """The learner with these five details, or possible ones. narrower: previous_family_name, school_at_age16,
        place_of_birth, email_address, which help when there were too many."""
        return self.call(
            "learnerByDemographics",
            find_type=find_type,
            family_name=family_name,
            given_name=given_name,
            date_of_birth=date_of_birth,
            gender=gender,
            last_known_post_code=last_known_post_code,
            **narrower,
        )

    def register_single_learner(self, learner: model.LearnerToRegister) -> model.RegisterSingleLearnerResp:
        """Registers the learner; the reply has the new ULN, unless the code says why there is none."""
        return self.call("registerSingleLearner", learner=learner)

    def update_single_learner(self, learner: model.LearnerToUpdate) -> model.UpdateLearnerResp:
        """Changes the learner. version_number is the one last obtained; None keeps a stored value, "" clears it."""
        return self.call("updateSingleLearner", learner=learner)

    def verify_learner(self, learner: model.MIAPLearnerToVerify) -> model.VerifyLearnerResp:
        """Whether these details are those of the learner with this ULN, and which are not."""
        return self.call("verifyLearner", learner_to_verify=learner)

    def retrieve_ulns(self, ulns: Iterable[str]) -> model.RetrieveULNsResp:
        """What the register holds of 1 to 200 ULNs."""
        return self.call("retrieveULNs", ulns_to_retrieve=model.MIAPULNsToRetrieve(uln=tuple(ulns)))

    def get_learner_record(
        self,
        uln: str,
        family_name: str,
        given_name: str,
        date_of_birth: str | datetime.date,
        gender: str,
        last_known_post_code: str,
        *,
        user_type: str,
        lnr_contact_type: str,
    ) -> model.LearnerRecordResp:
        """The record of a learner whose ULN and details are known, with the learning events.

        user_type: who asks (codes.UserType). lnr_contact_type: how the learner was in touch (codes.ContactType)."""
        return self.call(
            "getLearnerRecord",
            user_type=user_type,
            lnr_contact_type=lnr_contact_type,
            uln=uln,
            family_name=family_name,
            given_name=given_name,
            date_of_birth=date_of_birth,
            gender=gender,
            last_known_post_code=last_known_post_code,
        )

    def submit_batch_registration(
        self, learners: Iterable[model.BatchLearner], job_type: str = codes.BatchJobType.FULL
    ) -> model.BatchRegistrationResp:
        """Submits 1 to 200 learners; the reply has the job_id, 0 when its code says why there is none.

        job_type: FUL finds, updates and registers; CHK only finds.
        """
        learners = tuple(learners)
        return self.call(
            "submitBatchRegistration", job_type=job_type, learner_record_count=len(learners), learner=learners
        )

    def get_batch_registration_output(self, job_id: int) -> model.BatchOutputResp:
        """What became of a batch: WSRC0008 until it is finished, then WSRC0009 with the learners as they were sent."""
        return self.call("getBatchRegistrationOutput", job_id=job_id)

    def submit_verify_batch(
        self, learners: Iterable[model.MIAPBatchLearnerToVerify], org_email: str | None = None
    ) -> model.VerifyBatchResp:
        """Submits learners to verify, up to 200 as the LearnerRecordCount of the contract allows."""
        learners = tuple(learners)
        return self.call(
            "submitVerifyBatch", learner_record_count=len(learners), org_email=org_email, learner=learners
        )

    def get_verify_batch_output(self, job_id: int) -> model.VerifyBatchOutputResp:
        """What became of a batch of learners to verify, as for get_batch_registration_output."""
        return self.call("getVerifyBatchOutput", job_id=job_id)
