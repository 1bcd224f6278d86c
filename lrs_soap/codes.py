"""Every response, error, verification and return code and every enumeration of the service.

The rows live in `wsdl/codes.json`, which is served beside the WSDL; the enumerations below are built from it, so
server, client and documents cannot disagree. A member is a string equal to its code on the wire
(`ResponseCode.NO_MATCH == "WSRC0001"`); its `meaning` says what it stands for and its `basis` whether that is
documented ("D") or this project's own choice ("P").
"""

import enum
import json

from lrs_soap import resources

TABLE = json.loads((resources.directory("wsdl") / "codes.json").read_text(encoding="utf-8"))


class Code(str, enum.Enum):
    """A code as it stands on the wire, with its meaning."""

    meaning: str
    basis: str

    __str__ = str.__str__
    __format__ = str.__format__

    def __repr__(self) -> str:
        return f"<{type(self).__name__}.{self.name} {self.value}: {self.meaning}>"


def _enumeration(name: str, rows: list[dict]) -> type[Code]:
    members = Code(name, [(row["name"], row["code"]) for row in rows], module=__name__)
    for row in rows:
        member = members(row["code"])
        member.meaning, member.basis = row["meaning"], row["basis"]
    return members


ResponseCode = _enumeration("ResponseCode", TABLE["response_codes"])
ErrorCode = _enumeration("ErrorCode", TABLE["error_codes"])
VerificationCode = _enumeration("VerificationCode", TABLE["verification_codes"])
FailureFlag = _enumeration("FailureFlag", TABLE["failure_flags"])
ReturnCode = _enumeration("ReturnCode", TABLE["return_codes"])
JobStatus = _enumeration("JobStatus", TABLE["job_statuses"])

Gender = _enumeration("Gender", TABLE["enumerations"]["Gender"])
VerificationType = _enumeration("VerificationType", TABLE["enumerations"]["VerificationType"])
AbilityToShare = _enumeration("AbilityToShare", TABLE["enumerations"]["AbilityToShare"])
TierLevel = _enumeration("TierLevel", TABLE["enumerations"]["TierLevel"])
LearnerStatus = _enumeration("LearnerStatus", TABLE["enumerations"]["LearnerStatus"])
FindType = _enumeration("FindType", TABLE["enumerations"]["FindType"])
BatchJobType = _enumeration("BatchJobType", TABLE["enumerations"]["BatchJobType"])
UserType = _enumeration("UserType", TABLE["enumerations"]["UserType"])
ContactType = _enumeration("ContactType", TABLE["enumerations"]["ContactType"])

# ErrorActor of each fault: documented for WSEC0001, P for the others.
ERROR_ACTOR = {ErrorCode(row["code"]): row["actor"] for row in TABLE["error_codes"]}
