# sh run.sh 'http://127.0.0.1:8080/MIAPWebService/services/LearnerService?wsdl'
# Debian: apt-get install libaxis-java default-jdk-headless
export CLASSPATH=.:$(for jar in axis axis-jaxrpc axis-saaj wsdl4j commons-logging commons-discovery \
    javax.activation javax.mail
do printf '/usr/share/java/%s.jar:' $jar; done)
java org.apache.axis.wsdl.WSDL2Java -o . "$1"
find . -name '*.java' >sources
javac -nowarn -Xlint:none -d . @sources
java Learners "${1%\?wsdl}"
