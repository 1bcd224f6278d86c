import sys

import zeep

service = zeep.Client(sys.argv[1]).service
caller = {"UKPRN": "SAND0001", "OrgPassword": "sandbox-password", "UserName": "J Smith"}

found = service.learnerByULN(FindType="FUL", ULN="4123001008", FamilyName="Whitcombe", GivenName="Eleanor", **caller)
for learner in found.Learner:
    print(found.ResponseCode, learner.ULN, learner.GivenName, learner.FamilyName)

reply = service.registerSingleLearner(Learner={
    "GivenName": "Zoë", "FamilyName": "Zeep", "LastKnownPostCode": "AB1 2DE", "DateOfBirth": "2001-02-03",
    "Gender": "2", "VerificationType": "2", "AbilityToShare": "1",
}, **caller)
print(reply.ResponseCode, reply.ULN)

try:
    service.retrieveULNs(ULNsToRetrieve={"ULN": ["4123001008"]}, **caller | {"UKPRN": "NOBODY00"})
except zeep.exceptions.Fault as fault:
    print(fault.detail.findtext(".//ErrorCode"), fault.detail.findtext(".//Description"))
