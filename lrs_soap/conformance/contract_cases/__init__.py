"""Part two: the WSDL, the schemas, and what the service makes of them."""
