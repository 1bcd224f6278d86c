# sh run.sh 'http://127.0.0.1:8080/MIAPWebService/services/LearnerService?wsdl'
# Debian: apt-get install gsoap libgsoap-dev g++
wsdl2h -o lrs.h "$1"
soapcpp2 -j -C -L lrs.h
g++ -o learner learner.cpp soapC.cpp soapLearnerBindingProxy.cpp -lgsoap++
./learner "${1%\?wsdl}"
