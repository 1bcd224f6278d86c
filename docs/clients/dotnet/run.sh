# sh run.sh 'http://127.0.0.1:8080/MIAPWebService/services/LearnerService?wsdl'
# Debian: apt-get install mono-devel
wsdl -out:LearnerService.cs "$1"
mcs -nowarn:0169 -out:Learners.exe -r:System.Web.Services Learners.cs LearnerService.cs
mono Learners.exe "${1%\?wsdl}"
