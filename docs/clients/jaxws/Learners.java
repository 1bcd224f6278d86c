import java.net.URL;
import uk.gov.miap.lrs.api.findmsg.*;
import uk.gov.miap.lrs.api.learner.Learner;
import uk.gov.miap.lrs.api.learner.LearnerToRegister;
import uk.gov.miap.lrs.api.regmsg.RegisterSingleLearnerResp;
import uk.gov.miap.lrs.api.regmsg.RegisterSingleLearnerRqst;
import uk.gov.miap.webservice.learner.*;

public class Learners {
    public static void main(String[] args) throws Exception {
        LearnerPortType service = new LearnerService(new URL(args[0])).getLearnerService();

        LearnerByULNRqst find = new LearnerByULNRqst();
        find.setFindType("FUL");
        find.setUKPRN(new ObjectFactory().createLearnerByULNRqstUKPRN("SAND0001"));
        find.setOrgPassword("sandbox-password");
        find.setUserName("J Smith");
        find.setULN("4123001008");
        find.setFamilyName("Whitcombe");
        find.setGivenName("Eleanor");
        FindLearnerResp found = service.learnerByULN(find);
        for (Learner learner : found.getLearner()) {
            System.out.println(found.getResponseCode() + " " + learner.getULN() + " " + learner.getGivenName() + " "
                + learner.getFamilyName());
        }

        LearnerToRegister details = new LearnerToRegister();
        details.setGivenName("Zo\u00eb");
        details.setFamilyName("Jaxws");
        details.setLastKnownPostCode("AB1 2DE");
        details.setDateOfBirth("2001-02-03");
        details.setGender("2");
        details.setVerificationType("2");
        details.setAbilityToShare("1");
        RegisterSingleLearnerRqst register = new RegisterSingleLearnerRqst();
        register.setUKPRN(
            new uk.gov.miap.lrs.api.regmsg.ObjectFactory().createRegisterSingleLearnerRqstUKPRN("SAND0001"));
        register.setOrgPassword("sandbox-password");
        register.setUserName("J Smith");
        register.setLearner(details);
        RegisterSingleLearnerResp reply = service.registerSingleLearner(register);
        System.out.println(reply.getResponseCode() + " " + reply.getULN());

        find.setUKPRN(new ObjectFactory().createLearnerByULNRqstUKPRN("NOBODY00"));
        try {
            service.learnerByULN(find);
        } catch (MIAPAPIFault fault) {
            System.out.println(fault.getFaultInfo().getErrorCode() + " " + fault.getFaultInfo().getDescription());
        }
    }
}
