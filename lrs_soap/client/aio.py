"""AsyncLrsClient: LrsClient for asyncio, method by method. Needs httpx: `pip install lrs_soap[async]`."""

from typing import Any, Self

import zeep
from zeep import proxy

from lrs_soap.client import aiobatches, aiotransport, caller


class AsyncLrsClient(caller.Caller, aiobatches.AsyncBatches):
    """A connection of one organisation to a LearnerService, for asyncio.

    Arguments, methods, dataclasses and exceptions are those of LrsClient; every method is awaited, `run_batch` is an
    asynchronous generator, and the client is entered with `async with`. Calls may run side by side
    (asyncio.gather): up to aiotransport.CONNECTIONS are on their way at a time. One client belongs to one event loop.
    Making one reads the WSDL, which blocks when `wsdl` is a URL.
    """

    def _connect(self) -> proxy.AsyncServiceProxy:
        options = self._transport.operation_timeout, self._transport.session.cert, self._transport.verify
        self._posting = aiotransport.Transport(*options)
        client = zeep.AsyncClient(self._wsdl, transport=self._posting, settings=caller.SETTINGS)
        # zeep's create_service makes a proxy that waits.
        return proxy.AsyncServiceProxy(client, self._wsdl.bindings[self._binding], address=self.url)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_exc) -> None:
        await self.close()

    async def close(self) -> None:
        """Closes the connections."""
        self._transport.session.close()
        await self._posting.aclose()

    async def call(self, operation: str, **parameters) -> Any:
        """Calls any operation of the WSDL, and gives its reply as a dataclass of lrs_soap.model.

        operation: its name, such as "getLearnerRecord". parameters: the attributes of its request type in
        lrs_soap.model other than the caller's own (organisation_ref, ukprn, org_password, user_name).
        """
        request = self._encode(operation, parameters)
        with self._judging(operation):
            result = await self._service[operation](**request)
        return self._decode(operation, result)
