use strict;
use warnings;
use utf8;
use open ':std', ':encoding(UTF-8)';
use SOAP::Lite;

(my $endpoint = $ARGV[0]) =~ s/\?wsdl$//;
my $service = SOAP::Lite->proxy($endpoint)->autotype(0)->on_fault(sub { $_[1] });

# Name and value pairs as elements, in the order of the contract. SOAP::Lite does not read it from the WSDL.
sub elements { my @made; push @made, SOAP::Data->name(shift)->value(shift) while @_; return @made }

sub caller_of { return elements(UKPRN => shift, OrgPassword => 'sandbox-password', UserName => 'J Smith') }

sub call {
    my ($schema, $element, @children) = @_;
    my $root = SOAP::Data->name("m:$element")->attr({'xmlns:m' => "http://api.lrs.miap.gov.uk/$schema"});
    return $service->call($root, @children);
}

my $found = call('findmsg', 'FindLearnerByULN', elements(FindType => 'FUL'), caller_of('SAND0001'),
    elements(ULN => '4123001008', FamilyName => 'Whitcombe', GivenName => 'Eleanor'))->body->{FindLearnerResponse};
my $learner = $found->{Learner};
print "$found->{ResponseCode} $learner->{ULN} $learner->{GivenName} $learner->{FamilyName}\n";

my @details = elements(GivenName => 'Zoë', FamilyName => 'Perl', LastKnownPostCode => 'AB1 2DE',
    DateOfBirth => '2001-02-03', Gender => '2', VerificationType => '2', AbilityToShare => '1');
my $reply = call('regmsg', 'RegisterLearner', caller_of('SAND0001'),
    elements(Learner => \SOAP::Data->value(@details)))->body->{RegisterLearnerResponse};
print "$reply->{ResponseCode} $reply->{ULN}\n";

my $answer = call('reportmsg', 'RetrieveULNs', caller_of('NOBODY00'),
    elements(ULNsToRetrieve => \SOAP::Data->value(elements(ULN => '4123001008'))));
if ($answer->fault) {
    my $detail = $answer->faultdetail->{MIAPAPIException};
    print "$detail->{ErrorCode} $detail->{Description}\n";
}
