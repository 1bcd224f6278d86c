"""LrsClient: one typed method for each operation, all of them through `call`."""

from typing import Any, Self

import zeep

from lrs_soap.client import batches, caller


class LrsClient(caller.Caller, batches.Batches):
    """A connection of one organisation to a LearnerService.

    url: the endpoint, with or without ?wsdl; a URL without a path gets the historic one. Without it, the address in
    the WSDL at `wsdl`. organisation_ref, ukprn: at least one of them. org_password: the organisation's 16 characters.
    user_name: who works with the MIS. timeout: seconds to wait for the connection and for each part of the reply.
    client_certificate: path of a PEM file with certificate and key, or (certificate, key). ca_bundle: path of the PEM
    file of authorities to trust instead of the usual ones; False turns verification off, for tests only. wsdl: URL or
    path of a WSDL to use instead of the packaged one.

    Methods raise LrsServiceFault for a fault, LrsUnreachable (LrsTimeout) and LrsUnexpectedReply for what is wrong on
    the way, and LrsInvalidCall before anything is sent. Codes in replies are members of the enumerations of
    lrs_soap.codes, or str when unknown there. Not to be shared by threads.
    """

    def _connect(self) -> zeep.proxy.ServiceProxy:
        client = zeep.Client(self._wsdl, transport=self._transport, settings=caller.SETTINGS)
        return client.create_service(self._binding, self.url)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connection."""
        self._transport.session.close()

    def call(self, operation: str, **parameters) -> Any:
        """Calls any operation of the WSDL, and gives its reply as a dataclass of lrs_soap.model.

        operation: its name, such as "getLearnerRecord". parameters: the attributes of its request type in
        lrs_soap.model other than the caller's own (organisation_ref, ukprn, org_password, user_name).
        """
        request = self._encode(operation, parameters)
        with self._judging(operation):
            result = self._service[operation](**request)
        return self._decode(operation, result)
