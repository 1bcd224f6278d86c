"""What a call can raise. No message holds an OrgPassword or a learner's data."""

from lrs_soap import codes, errors


class LrsClientError(errors.LrsError):
    """The call gave no answer."""


class LrsInvalidCall(LrsClientError):
    """The call cannot be made like this: a value is missing or cannot be written as XML. Nothing was sent."""


class LrsServiceFault(LrsClientError):
    """The service answered with a fault.

    error_code: a codes.ErrorCode, or str when it is none we know (the SOAP faultcode of a fault that is not the
    declared one). error_actor, description, further_details, error_timestamp ("yyyy-MM-dd HH:mm:ss"): as sent, empty
    when absent. further_details may repeat what the request said about a learner, so the message leaves it out.
    """

    def __init__(
        self,
        error_code: codes.ErrorCode | str,
        error_actor: str = "",
        description: str = "",
        further_details: str = "",
        error_timestamp: str = "",
    ):
        super().__init__(f"the service answered with the fault {error_code}: {description}")
        self.error_code = error_code
        self.error_actor = error_actor
        self.description = description
        self.further_details = further_details
        self.error_timestamp = error_timestamp

    def __reduce__(self):
        fields = self.error_code, self.error_actor, self.description, self.further_details, self.error_timestamp
        return type(self), fields


class LrsUnreachable(LrsClientError):
    """The service could not be reached. `url` is where it was looked for."""

    def __init__(self, url: str, problem: str, advice: str):
        super().__init__(f"{url}: {problem}. {advice}")
        self.url, self.problem, self.advice = url, problem, advice

    def __reduce__(self):
        return type(self), (self.url, self.problem, self.advice)


class LrsTimeout(LrsUnreachable):
    """The service did not answer in time. A registration or update may have been made all the same."""


class LrsUnexpectedReply(LrsClientError):
    """Something at `url` answered, but not as a LearnerService of this contract does."""

    def __init__(self, url: str, problem: str):
        super().__init__(f"{url}: {problem}. Is this the URL of a LearnerService?")
        self.url, self.problem = url, problem

    def __reduce__(self):
        return type(self), (self.url, self.problem)


class LrsBatchRefused(LrsClientError):
    """The service did not take a batch. `code` is its ResponseCode."""

    def __init__(self, code: str):
        super().__init__(f"the service did not take the batch: {code} {getattr(code, 'meaning', '')}".rstrip())
        self.code = code

    def __reduce__(self):
        return type(self), (self.code,)


class LrsBatchFailed(LrsClientError):
    """The service took a batch but has no output of it. `job_id` is its job, `code` the ResponseCode."""

    def __init__(self, job_id: int, code: str):
        super().__init__(f"job {job_id}: {code} {getattr(code, 'meaning', '')}".rstrip())
        self.job_id, self.code = job_id, code

    def __reduce__(self):
        return type(self), (self.job_id, self.code)


class LrsBatchUnfinished(LrsClientError):
    """A batch was not finished in time; its output can still be asked for. `job_id` is its job."""

    def __init__(self, job_id: int, patience: float):
        super().__init__(f"job {job_id} was not finished within {patience:g} seconds; its output can be had later")
        self.job_id, self.patience = job_id, patience

    def __reduce__(self):
        return type(self), (self.job_id, self.patience)
