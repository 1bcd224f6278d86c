# sh run.sh 'http://127.0.0.1:8080/MIAPWebService/services/LearnerService?wsdl'
# Debian: apt-get install ruby-soap4r ruby-logger-application ruby-libxml
# Ruby no longer has Logger::Application, and soap4r cannot use today's REXML.
export RUBYOPT='-W0 -r logger-application -r xsd/xmlparser/libxmlparser'
ruby "$(dirname "$(gem which soap/soap)")/../../bin/wsdl2ruby.rb" --quiet --type client --module_path Lrs --wsdl "$1"
ruby -I . learner.rb "$1"
