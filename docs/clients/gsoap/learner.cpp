#include <iostream>
#include "LearnerBinding.nsmap"
#include "soapLearnerBindingProxy.h"

int main(int, char **arguments) {
    // UTF-8 in char and std::string on both sides.
    LearnerBindingProxy service(arguments[1], SOAP_C_UTFSTRING);
    std::string ukprn = "SAND0001", nobody = "NOBODY00";

    ns2__LearnerByULNRqst find;
    find.FindType = "FUL";
    find.UKPRN = &ukprn;
    find.OrgPassword = "sandbox-password";
    find.UserName = "J Smith";
    find.ULN = "4123001008";
    find.FamilyName = "Whitcombe";
    find.GivenName = "Eleanor";
    ns2__FindLearnerResp found;
    if (service.learnerByULN(&find, found) == SOAP_OK) {
        for (ns9__Learner *learner : found.Learner) {
            std::cout << found.ResponseCode << ' ' << learner->ULN << ' ' << learner->GivenName << ' '
                      << learner->FamilyName << '\n';
        }
    }

    ns9__LearnerToRegister details;
    details.GivenName = "Zoë";
    details.FamilyName = "Gsoap";
    details.LastKnownPostCode = "AB1 2DE";
    details.DateOfBirth = "2001-02-03";
    details.Gender = "2";
    details.VerificationType = "2";
    details.AbilityToShare = "1";
    ns3__RegisterSingleLearnerRqst request;
    request.UKPRN = &ukprn;
    request.OrgPassword = "sandbox-password";
    request.UserName = "J Smith";
    request.Learner = &details;
    ns3__RegisterSingleLearnerResp reply;
    if (service.registerSingleLearner(&request, reply) == SOAP_OK) {
        std::cout << reply.ResponseCode << ' ' << *reply.ULN << '\n';
    }

    find.UKPRN = &nobody;
    if (service.learnerByULN(&find, found) != SOAP_OK && service.soap->fault && service.soap->fault->detail) {
        ns8__MIAPAPIException *fault = service.soap->fault->detail->ns8__MIAPAPIException_;
        std::cout << fault->ErrorCode << ' ' << fault->Description << '\n';
    }
    service.destroy();
}
