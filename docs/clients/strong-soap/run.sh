# sh run.sh 'http://127.0.0.1:8080/MIAPWebService/services/LearnerService?wsdl'
npm install --silent strong-soap
node learner.js "$1"
