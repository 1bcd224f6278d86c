# sh run.sh 'http://127.0.0.1:8080/MIAPWebService/services/LearnerService?wsdl'
# Debian: apt-get install php-cli php-soap
php learner.php "$1"
