# sh run.sh 'http://127.0.0.1:8080/MIAPWebService/services/LearnerService?wsdl'
# Debian: apt-get install jaxws default-jdk-headless
wsimport -quiet -Xnocompile -keep -s . "$1"
export CLASSPATH=.:$(for jar in jaxws-rt jaxws-api jaxb-api jaxb-core jaxb-runtime jws-api saaj saaj-impl \
    javax.activation istack-commons-runtime stax-ex metro-policy gmbal mimepull txw2 streambuffer \
    geronimo-annotation-1.3-spec
do printf '/usr/share/java/%s.jar:' $jar; done)
find . -name '*.java' >sources
javac -nowarn -Xlint:none -d . @sources
java Learners "$1"
