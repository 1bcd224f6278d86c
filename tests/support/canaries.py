"""Values that must not be seen anywhere: to send, and to look for."""

import re

from lrs_soap import contract

PASSWORD = "Kanarienvogel-16"
WRONG_PASSWORD = "Wrongcanarybird!"
DETAILS = {
    "FamilyName": "Zyxcanfamily",
    "GivenName": "Qwxcangiven",
    "MiddleOtherName": "Jvxcanmiddle",
    "PreferredGivenName": "Kjxcanpreferred",
    "PreviousFamilyName": "Vbxcanprevious",
    "FamilyNameAtAge16": "Hgxcansixteen",
    "SchoolAtAge16": "Wqxcanschool",
    "LastKnownAddressLine1": "1 Pzxcanroad",
    "LastKnownAddressLine2": "Rtxcanflat",
    "LastKnownAddressTown": "Mnxcantown",
    "LastKnownAddressCountyOrCity": "Lkxcancounty",
    "LastKnownPostCode": "ZE9 9ZZ",
    "DateOfBirth": "1987-06-05",
    "PlaceOfBirth": "Bvxcanbirthplace",
    "Gender": "2",
    "EmailAddress": "cfxcan.mail@canarymail.test",
    "ScottishCandidateNumber": "987654320",
    "OtherVerificationDescription": "Dsxcanseen",
    "Notes": "Ytxcannotes",
    "MISIdentifier": "Ghxcanmis",
    "VerificationType": "999",
    "AbilityToShare": "1",
    "Nationality": "GBR",
}
_HIDDEN = re.compile(r"\w{2}xcan\w*|xcan|ZE9 ?9ZZ|1987-?06-?05|05/06/1987|canarymail|987654320", re.IGNORECASE)
_PASSWORDS = re.compile(f"{PASSWORD}|{WRONG_PASSWORD}|kanarien|wrongcanary", re.IGNORECASE)


def personal(text: str) -> list[str]:
    """Personal data in the text."""
    return _HIDDEN.findall(text)


def passwords(text: str) -> list[str]:
    """OrgPasswords in the text, or what is left of them."""
    return _PASSWORDS.findall(text)


def values(operation: str, uln: str, job_id: str = "1") -> dict[str, str | None]:
    """What calls the operation with canaries in every element, as `soap.message` takes it: by path."""
    fixed = {
        "OrganisationRef": "CANARY", "UKPRN": None, "OrgPassword": PASSWORD, "UserName": "A Tester", "ULN": uln,
        "FindType": "FUL", "JobType": "FUL", "UserType": "LNR", "LNRContactType": "FTF", "JobID": job_id,
        "LearnerRecordCount": "1", "VersionNumber": "1", "FromDate": "2026-01-01", "ToDate": None, "Title": None,
        "DateOfAddressCapture": None,
    }  # fmt: skip
    found = {}

    def fill(prefix: str, type_) -> None:
        for field in type_.fields:
            path = prefix + field.name
            if field.complex is not None:
                fill(path + ".", field.complex)
            else:
                found[path] = fixed[field.name] if field.name in fixed else DETAILS.get(field.name)

    fill("", contract.OPERATIONS[operation].request_type)
    return found
