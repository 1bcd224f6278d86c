# sh run.sh 'http://127.0.0.1:8080/MIAPWebService/services/LearnerService?wsdl'
# Debian: apt-get install libsoap-lite-perl
perl learner.pl "$1"
