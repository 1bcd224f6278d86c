"""What LrsClient and AsyncLrsClient share: who calls, what is sent, and what is made of an answer."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import zeep
from zeep import exceptions

from lrs_soap import codes, contract, model
from lrs_soap.client import failures, transport, values

_FAULT_FIELDS = contract.ELEMENTS[contract.FAULT_ELEMENT].fields
SETTINGS = zeep.Settings(forbid_dtd=True, forbid_entities=True, force_https=False)


class Caller:
    """One organisation's side of every call. The arguments are those of LrsClient, which describes them."""

    def __init__(
        self,
        url: str | None = None,
        *,
        organisation_ref: str | None = None,
        ukprn: str | None = None,
        org_password: str,
        user_name: str,
        timeout: float = 20,
        client_certificate: str | tuple[str, str] | None = None,
        ca_bundle: str | bool | None = None,
        wsdl: str | None = None,
    ):
        if not (organisation_ref or ukprn):
            raise failures.LrsInvalidCall("give organisation_ref or ukprn: a request names its organisation by them")
        if not (url or wsdl):
            raise failures.LrsInvalidCall("give url, where the service is, or wsdl, where its WSDL is")
        self.organisation_ref, self.ukprn, self.user_name = organisation_ref, ukprn, user_name
        self._org_password = org_password
        verify = True if ca_bundle is None else ca_bundle
        source = _location(wsdl) if wsdl else transport.PACKAGED
        self._transport = transport.Transport(source, timeout, client_certificate, verify)
        self._wsdl, self._binding, address = self._read(source)
        self.url = _endpoint(url) if url else address
        self._service = self._connect()

    def _connect(self) -> zeep.proxy.ServiceProxy:
        """zeep's operations at self.url."""
        raise NotImplementedError

    def _read(self, source: str) -> tuple[zeep.wsdl.Document, str, str]:
        """The WSDL at `source`, the name of its binding, and the address in it."""
        shown = transport.without_credentials(source)
        try:
            document = zeep.wsdl.Document(source, self._transport, settings=SETTINGS)
            ((name, binding),) = ((str(b.name), b) for b in document.bindings.values())
            (port,) = (p for service in document.services.values() for p in service.ports.values())
        except (exceptions.Error, OSError, ValueError, KeyError) as error:
            raise failures.LrsUnexpectedReply(shown, f"no usable WSDL ({type(error).__name__})") from None
        missing = [operation for operation in contract.OPERATIONS if operation not in binding.all()]
        if missing:
            raise failures.LrsUnexpectedReply(shown, f"the WSDL lacks the operations {', '.join(missing)}")
        return document, name, port.binding_options["address"]

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}({transport.without_credentials(self.url)!r},"
            f" organisation_ref={self.organisation_ref!r}, ukprn={self.ukprn!r}, user_name={self.user_name!r},"
            " org_password='***')"
        )

    def _encode(self, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
        """What zeep takes to send `operation`. Raises LrsInvalidCall."""
        if operation not in contract.OPERATIONS:
            raise failures.LrsInvalidCall(f"no operation {operation!r}: {', '.join(contract.OPERATIONS)}")
        kind = contract.OPERATIONS[operation].request_type
        try:
            request = getattr(model, kind.name)(
                organisation_ref=self.organisation_ref,
                ukprn=self.ukprn,
                org_password=self._org_password,
                user_name=self.user_name,
                **parameters,
            )
            return values.encode(request, kind)
        except (TypeError, AttributeError) as error:
            # Both name the attribute that is missing or too much, never a value.
            raise failures.LrsInvalidCall(f"{operation}: {error}") from None

    @contextlib.contextmanager
    def _judging(self, operation: str) -> Iterator[None]:
        """Around zeep's call of `operation`: its exceptions become those of `failures`."""
        try:
            yield
        except exceptions.Fault as fault:
            raise self._fault(fault) from None
        except exceptions.ValidationError as error:
            raise failures.LrsInvalidCall(f"{operation}: {error}") from None
        except ValueError:
            raise failures.LrsInvalidCall(f"{operation}: a value holds a character that XML cannot carry") from None
        except (exceptions.Error, LookupError, TypeError, AttributeError):
            # zeep's errors may quote the reply; the built-in ones are how it trips over a body it did not expect.
            shown = transport.without_credentials(self.url)
            raise failures.LrsUnexpectedReply(shown, "the reply is not one of this contract") from None

    def _decode(self, operation: str, result: Any) -> Any:
        """The reply as a dataclass. Raises LrsUnexpectedReply."""
        try:
            return values.decode(result, contract.OPERATIONS[operation].response_type)
        except values.Unreadable as error:
            raise failures.LrsUnexpectedReply(transport.without_credentials(self.url), str(error)) from None

    def _fault(self, fault: exceptions.Fault) -> failures.LrsServiceFault:
        declared = None if fault.detail is None else fault.detail.find(contract.FAULT_ELEMENT)
        if declared is None:
            return failures.LrsServiceFault(str(fault.code), description=self._clean(fault.message))
        # A service that is not ours may send back what it was sent.
        found = {field.attribute: self._clean(declared.findtext(field.name)) for field in _FAULT_FIELDS}
        if found["error_code"] in codes.ErrorCode._value2member_map_:
            found["error_code"] = codes.ErrorCode(found["error_code"])
        return failures.LrsServiceFault(**found)

    def _clean(self, text: str | None) -> str:
        return (text or "").replace(self._org_password, "***") if self._org_password else (text or "")


def _endpoint(url: str) -> str:
    """`url`, with the historic path if it names a host only."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(path=contract.ENDPOINT)) if parts.path in ("", "/") else url


def _location(wsdl: str) -> str:
    """The URL of a WSDL given as a URL or a path."""
    return wsdl if "://" in wsdl else Path(wsdl).absolute().as_uri()
