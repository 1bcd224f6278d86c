# sh run.sh 'http://127.0.0.1:8080/MIAPWebService/services/LearnerService?wsdl'
python3 -m venv venv
venv/bin/pip install --quiet suds-community
venv/bin/python learner.py "$1"
