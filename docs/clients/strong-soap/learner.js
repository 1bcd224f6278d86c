const { soap } = require('strong-soap');
const { promisify } = require('util');
const caller = { UKPRN: 'SAND0001', OrgPassword: 'sandbox-password', UserName: 'J Smith' };

async function main(url) {
  const client = await promisify(soap.createClient)(url, {});
  const call = (operation, request) => promisify(client[operation])(request);

  const found = await call('learnerByULN', { FindLearnerByULN: {
    FindType: 'FUL', ...caller, ULN: '4123001008', FamilyName: 'Whitcombe', GivenName: 'Eleanor',
  } });
  for (const learner of [].concat(found.Learner)) {
    console.log(found.ResponseCode, learner.ULN, learner.GivenName, learner.FamilyName);
  }

  const reply = await call('registerSingleLearner', { RegisterLearner: {
    ...caller,
    Learner: {
      GivenName: 'Zoë', FamilyName: 'Strong', LastKnownPostCode: 'AB1 2DE', DateOfBirth: '2001-02-03', Gender: '2',
      VerificationType: '2', AbilityToShare: '1',
    },
  } });
  console.log(reply.ResponseCode, reply.ULN);

  try {
    await call('retrieveULNs', { RetrieveULNs: {
      ...caller, UKPRN: 'NOBODY00', ULNsToRetrieve: { ULN: ['4123001008'] },
    } });
  } catch (error) {
    const detail = error.root.Envelope.Body.Fault.detail.MIAPAPIException;
    console.log(detail.ErrorCode, detail.Description);
  }
}

main(process.argv[2]);
