import java.net.URL;
import uk.gov.miap.lrs.api.exceptions.MIAPAPIException;
import uk.gov.miap.lrs.api.findmsg.*;
import uk.gov.miap.lrs.api.learner.*;
import uk.gov.miap.lrs.api.regmsg.*;
import uk.gov.miap.webservice.learner.*;

public class Learners {
    public static void main(String[] args) throws Exception {
        LearnerPortType service = new LearnerServiceLocator().getLearnerService(new URL(args[0]));

        LearnerByULNRqst find = new LearnerByULNRqst();
        find.setFindType("FUL");
        find.setUKPRN("SAND0001");
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
        details.setFamilyName("Axis");
        details.setLastKnownPostCode("AB1 2DE");
        details.setDateOfBirth("2001-02-03");
        details.setGender("2");
        details.setVerificationType("2");
        details.setAbilityToShare("1");
        RegisterSingleLearnerRqst register = new RegisterSingleLearnerRqst();
        register.setUKPRN("SAND0001");
        register.setOrgPassword("sandbox-password");
        register.setUserName("J Smith");
        register.setLearner(details);
        RegisterSingleLearnerResp reply = service.registerSingleLearner(register);
        System.out.println(reply.getResponseCode() + " " + reply.getULN());

        find.setUKPRN("NOBODY00");
        try {
            service.learnerByULN(find);
        } catch (MIAPAPIException fault) {
            System.out.println(fault.getErrorCode() + " " + fault.getDescription());
        }
    }
}
