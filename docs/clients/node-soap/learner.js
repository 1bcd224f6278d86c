const soap = require('soap');
const caller = { UKPRN: 'SAND0001', OrgPassword: 'sandbox-password', UserName: 'J Smith' };

async function main(url) {
  const client = await soap.createClientAsync(url);

  // Properties are sent in the order in which they stand here, which has to be that of the contract.
  const [found] = await client.learnerByULNAsync({
    FindType: 'FUL', ...caller, ULN: '4123001008', FamilyName: 'Whitcombe', GivenName: 'Eleanor',
  });
  for (const learner of found.Learner) {
    console.log(found.ResponseCode, learner.ULN, learner.GivenName, learner.FamilyName);
  }

  const [reply] = await client.registerSingleLearnerAsync({
    ...caller,
    Learner: {
      GivenName: 'Zoë', FamilyName: 'Node', LastKnownPostCode: 'AB1 2DE', DateOfBirth: '2001-02-03', Gender: '2',
      VerificationType: '2', AbilityToShare: '1',
    },
  });
  console.log(reply.ResponseCode, reply.ULN);

  try {
    await client.retrieveULNsAsync({ ...caller, UKPRN: 'NOBODY00', ULNsToRetrieve: { ULN: ['4123001008'] } });
  } catch (error) {
    const detail = error.root.Envelope.Body.Fault.detail.MIAPAPIException;
    console.log(detail.ErrorCode, detail.Description);
  }
}

main(process.argv[2]);
