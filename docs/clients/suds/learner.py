import sys

import suds.client

client = suds.client.Client(sys.argv[1], cache=None)
caller = {"UKPRN": "SAND0001", "OrgPassword": "sandbox-password", "UserName": "J Smith"}

found = client.service.learnerByULN(
    FindType="FUL", ULN="4123001008", FamilyName="Whitcombe", GivenName="Eleanor", **caller
)
for learner in found.Learner:
    print(found.ResponseCode, learner.ULN, learner.GivenName, learner.FamilyName)

reply = client.service.registerSingleLearner(Learner={
    "GivenName": "Zoë", "FamilyName": "Suds", "LastKnownPostCode": "AB1 2DE", "DateOfBirth": "2001-02-03",
    "Gender": "2", "VerificationType": "2", "AbilityToShare": "1",
}, **caller)
print(reply.ResponseCode, reply.ULN)

try:
    client.service.retrieveULNs(ULNsToRetrieve={"ULN": ["4123001008"]}, **caller | {"UKPRN": "NOBODY00"})
except suds.WebFault as error:
    detail = error.fault.detail.MIAPAPIException
    print(detail.ErrorCode, detail.Description)
