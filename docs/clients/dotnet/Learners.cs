using System;
using System.Web.Services.Protocols;

public static class Learners
{
    public static void Main(string[] arguments)
    {
        var service = new LearnerService { Url = arguments[0] };

        var find = new LearnerByULNRqst {
            FindType = "FUL", UKPRN = "SAND0001", OrgPassword = "sandbox-password", UserName = "J Smith",
            ULN = "4123001008", FamilyName = "Whitcombe", GivenName = "Eleanor"
        };
        FindLearnerResp found = service.learnerByULN(find);
        foreach (Learner learner in found.Learner)
            Console.WriteLine("{0} {1} {2} {3}",
                found.ResponseCode, learner.ULN, learner.GivenName, learner.FamilyName);

        var reply = service.registerSingleLearner(new RegisterSingleLearnerRqst {
            UKPRN = "SAND0001", OrgPassword = "sandbox-password", UserName = "J Smith",
            Learner = new LearnerToRegister {
                GivenName = "Zo\u00eb", FamilyName = "Mono", LastKnownPostCode = "AB1 2DE", DateOfBirth = "2001-02-03",
                Gender = "2", VerificationType = "2", AbilityToShare = "1"
            }
        });
        Console.WriteLine("{0} {1}", reply.ResponseCode, reply.ULN);

        find.UKPRN = "NOBODY00";
        try {
            service.learnerByULN(find);
        } catch (SoapException fault) {
            Console.WriteLine("{0} {1}", fault.Detail.SelectSingleNode("//ErrorCode").InnerText,
                fault.Detail.SelectSingleNode("//Description").InnerText);
        }
    }
}
