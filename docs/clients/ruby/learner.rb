require 'LearnerServiceDriver'

service = Lrs::LearnerPortType.new(ARGV[0].delete_suffix('?wsdl'))

find = Lrs::LearnerByULNRqst.new
find.findType = 'FUL'
find.uKPRN = 'SAND0001'
find.orgPassword = 'sandbox-password'
find.userName = 'J Smith'
find.uLN = '4123001008'
find.familyName = 'Whitcombe'
find.givenName = 'Eleanor'
found = service.learnerByULN(find)
found.learner.each do |learner|
  puts "#{found.responseCode} #{learner.uLN} #{learner.givenName} #{learner.familyName}"
end

register = Lrs::RegisterSingleLearnerRqst.new
register.uKPRN = 'SAND0001'
register.orgPassword = 'sandbox-password'
register.userName = 'J Smith'
register.learner = Lrs::LearnerToRegister.new
register.learner.givenName = 'Zoë'
register.learner.familyName = 'Ruby'
register.learner.lastKnownPostCode = 'AB1 2DE'
register.learner.dateOfBirth = '2001-02-03'
register.learner.gender = '2'
register.learner.verificationType = '2'
register.learner.abilityToShare = '1'
reply = service.registerSingleLearner(register)
puts "#{reply.responseCode} #{reply.uLN}"

begin
  find.uKPRN = 'NOBODY00'
  service.learnerByULN(find)
rescue SOAP::FaultError => fault
  detail = fault.detail['MIAPAPIException']
  puts "#{detail.errorCode} #{detail.description}"
end
