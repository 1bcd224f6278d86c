<?php
$service = new SoapClient($argv[1], ['cache_wsdl' => WSDL_CACHE_NONE, 'features' => SOAP_SINGLE_ELEMENT_ARRAYS]);
$caller = ['UKPRN' => 'SAND0001', 'OrgPassword' => 'sandbox-password', 'UserName' => 'J Smith'];

$found = $service->learnerByULN($caller + [
    'FindType' => 'FUL', 'ULN' => '4123001008', 'FamilyName' => 'Whitcombe', 'GivenName' => 'Eleanor',
]);
foreach ($found->Learner as $learner) {
    echo "$found->ResponseCode $learner->ULN $learner->GivenName $learner->FamilyName\n";
}

$reply = $service->registerSingleLearner($caller + ['Learner' => [
    'GivenName' => 'Zoë', 'FamilyName' => 'Php', 'LastKnownPostCode' => 'AB1 2DE', 'DateOfBirth' => '2001-02-03',
    'Gender' => '2', 'VerificationType' => '2', 'AbilityToShare' => '1',
]]);
echo "$reply->ResponseCode $reply->ULN\n";

try {
    $service->retrieveULNs(['UKPRN' => 'NOBODY00', 'ULNsToRetrieve' => ['ULN' => ['4123001008']]] + $caller);
} catch (SoapFault $fault) {
    $detail = $fault->detail->MIAPAPIException;
    echo "$detail->ErrorCode $detail->Description\n";
}
