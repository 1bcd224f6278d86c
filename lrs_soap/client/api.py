"""LrsClient: one typed method for each operation, all of them through `call`."""

import datetime
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit, urlunsplit

import zeep
from zeep import exceptions

from lrs_soap import codes, contract, model
from lrs_soap.client import batches, failures, transport, values

_FAULT_FIELDS = contract.ELEMENTS[contract.FAULT_ELEMENT].fields


class LrsClient(batches.Batches):
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
        self._service = self._open(source, _endpoint(url) if url else None)

    def _open(self, source: str, url: str | None) -> zeep.proxy.ServiceProxy:
        settings = zeep.Settings(forbid_dtd=True, forbid_entities=True, force_https=False)
        try:
            client = zeep.Client(source, transport=self._transport, settings=settings)
            ((name, binding),) = ((str(b.name), b) for b in client.wsdl.bindings.values())
            (port,) = (p for service in client.wsdl.services.values() for p in service.ports.values())
        except (exceptions.Error, OSError, ValueError, KeyError) as error:
            shown = transport.without_credentials(source)
            raise failures.LrsUnexpectedReply(shown, f"no usable WSDL ({type(error).__name__})") from None
        missing = [operation for operation in contract.OPERATIONS if operation not in binding.all()]
        if missing:
            shown = transport.without_credentials(source)
            raise failures.LrsUnexpectedReply(shown, f"the WSDL lacks the operations {', '.join(missing)}")
        self.url = url or port.binding_options["address"]
        return client.create_service(name, self.url)

    def __repr__(self) -> str:
        return (
            f"LrsClient({transport.without_credentials(self.url)!r}, organisation_ref={self.organisation_ref!r},"
            f" ukprn={self.ukprn!r}, user_name={self.user_name!r}, org_password='***')"
        )

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
            encoded = values.encode(request, kind)
        except (TypeError, AttributeError) as error:
            # Both name the attribute that is missing or too much, never a value.
            raise failures.LrsInvalidCall(f"{operation}: {error}") from None
        return self._send(operation, encoded)

    def _send(self, operation: str, request: dict[str, Any]) -> Any:
        shown = transport.without_credentials(self.url)
        try:
            result = self._service[operation](**request)
        except exceptions.Fault as fault:
            raise self._fault(fault) from None
        except exceptions.ValidationError as error:
            raise failures.LrsInvalidCall(f"{operation}: {error}") from None
        except ValueError:
            raise failures.LrsInvalidCall(f"{operation}: a value holds a character that XML cannot carry") from None
        except (exceptions.Error, LookupError, TypeError, AttributeError):
            # zeep's errors may quote the reply; the built-in ones are how it trips over a body it did not expect.
            raise failures.LrsUnexpectedReply(shown, "the reply is not one of this contract") from None
        try:
            return values.decode(result, contract.OPERATIONS[operation].response_type)
        except values.Unreadable as error:
            raise failures.LrsUnexpectedReply(shown, str(error)) from None

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

    def learner_by_uln(
        self, uln: str, family_name: str, given_name: str, *, find_type: str = codes.FindType.FULL
    ) -> model.FindLearnerResp:
        """The learner with this ULN, if both names are the learner's. find_type CHK asks for the code alone."""
        return self.call(
            "learnerByULN", find_type=find_type, uln=uln, family_name=family_name, given_name=given_name
        )

    def learner_by_demographics(
        self,
        family_name: str,
        given_name: str,
        date_of_birth: str | datetime.date,
        gender: str,
        last_known_post_code: str,
        *,
        find_type: str = codes.FindType.FULL,
        **narrower: str | None,
    ) -> model.FindLearnerResp:
        """The learner with these five details, or possible ones. narrower: previous_family_name, school_at_age16,
        place_of_birth, email_address, which help when there were too many."""
        return self.call(
            "learnerByDemographics",
            find_type=find_type,
            family_name=family_name,
            given_name=given_name,
            date_of_birth=date_of_birth,
            gender=gender,
            last_known_post_code=last_known_post_code,
            **narrower,
        )

    def register_single_learner(self, learner: model.LearnerToRegister) -> model.RegisterSingleLearnerResp:
        """Registers the learner; the reply has the new ULN, unless the code says why there is none."""
        return self.call("registerSingleLearner", learner=learner)

    def update_single_learner(self, learner: model.LearnerToUpdate) -> model.UpdateLearnerResp:
        """Changes the learner. version_number is the one last obtained; None keeps a stored value, "" clears it."""
        return self.call("updateSingleLearner", learner=learner)

    def verify_learner(self, learner: model.MIAPLearnerToVerify) -> model.VerifyLearnerResp:
        """Whether these details are those of the learner with this ULN, and which are not."""
        return self.call("verifyLearner", learner_to_verify=learner)

    def retrieve_ulns(self, ulns: Iterable[str]) -> model.RetrieveULNsResp:
        """What the register holds of 1 to 200 ULNs."""
        return self.call("retrieveULNs", ulns_to_retrieve=model.MIAPULNsToRetrieve(uln=tuple(ulns)))

    def get_learner_record(
        self,
        uln: str,
        family_name: str,
        given_name: str,
        date_of_birth: str | datetime.date,
        gender: str,
        last_known_post_code: str,
        *,
        user_type: str,
        lnr_contact_type: str,
    ) -> model.LearnerRecordResp:
        """The record of a learner whose ULN and details are known, with the learning events.

        user_type: who asks (codes.UserType). lnr_contact_type: how the learner was in touch (codes.ContactType)."""
        return self.call(
            "getLearnerRecord",
            user_type=user_type,
            lnr_contact_type=lnr_contact_type,
            uln=uln,
            family_name=family_name,
            given_name=given_name,
            date_of_birth=date_of_birth,
            gender=gender,
            last_known_post_code=last_known_post_code,
        )


def _endpoint(url: str) -> str:
    """`url`, with the historic path if it names a host only."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(path=contract.ENDPOINT)) if parts.path in ("", "/") else url


def _location(wsdl: str) -> str:
    """The URL of a WSDL given as a URL or a path."""
    return wsdl if "://" in wsdl else Path(wsdl).absolute().as_uri()
