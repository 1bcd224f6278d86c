"""Everything that can go wrong, under one root.

An exception's docstring is its message; attributes carry its code. No message ever holds an OrgPassword.
"""

from lrs_soap import codes


class LrsError(Exception):
    """The Learner Registration Service could not do what was asked."""

    def __init__(self, message: str | None = None):
        super().__init__(message or type(self).__doc__)


class LrsFault(LrsError):
    """The call ends in the declared fault, MIAPAPIException.

    code: the ErrorCode. further_details: FurtherDetails for the caller. It may repeat a value the caller sent
    and therefore never goes to a log; `reason` is the word that does.
    """

    code = codes.ErrorCode.UNEXPECTED_ERROR
    reason = "unexpected"

    def __init__(self, further_details: str = "", reason: str | None = None):
        super().__init__()
        self.further_details = further_details
        if reason:
            self.reason = reason


class InvalidRequest(LrsFault):
    """The request is invalid."""

    code = codes.ErrorCode.INVALID_REQUEST
    reason = "invalid"


class UnknownRequest(LrsFault):
    """The operation is not supported."""

    code = codes.ErrorCode.UNKNOWN_REQUEST
    reason = "unknown-request"


class UnknownOrganisation(LrsFault):
    """The organisation is not known."""

    code = codes.ErrorCode.UNKNOWN_ORGANISATION
    reason = "unknown-organisation"


class OutOfHours(LrsFault):
    """The service is outside its operational hours."""

    code = codes.ErrorCode.OUT_OF_HOURS
    reason = "out-of-hours"


class WrongPassword(LrsFault):
    """The OrgPassword is not the organisation's."""

    code = codes.ErrorCode.WRONG_PASSWORD
    reason = "wrong-password"


class NotAuthorised(LrsFault):
    """The organisation or its user may not make this call."""

    code = codes.ErrorCode.NOT_AUTHORISED
    reason = "not-authorised"


class UnexpectedError(LrsFault):
    """An error nobody foresaw; its reference leads to the log."""


class SoapError(LrsError):
    """The message is not one this SOAP 1.1 endpoint can process; `faultcode` is the local name SOAP 1.1 gives it.

    These are SOAP's own faults (section 4.4), which carry no MIAPAPIException.
    """

    faultcode = "Client"

    def __init__(self, faultstring: str):
        super().__init__(faultstring)
        self.faultstring = faultstring


class VersionMismatch(SoapError):
    """The envelope is not in the SOAP 1.1 namespace."""

    faultcode = "VersionMismatch"


class MustUnderstand(SoapError):
    """A header block marked mustUnderstand="1" is not understood."""

    faultcode = "MustUnderstand"
