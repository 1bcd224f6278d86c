"""Every reply of the run against the schemas, twice, and the shape of faults to the letter."""

import re

from lrs_soap import codes, contract
from lrs_soap.conformance import case, census, messages, replies

BOOK = case.Book(case.Part.CONTRACT)
_FAULTSTRING = "uk.gov.miap.lrs.api.exceptions.MIAPAPIException"
_LAST = {"last": True}
_FIELDS = [field.name for field in contract.ELEMENTS[contract.FAULT_ELEMENT].fields]


def _declared(heard: census.Heard):
    """The MIAPAPIException of a fault, however its children are named, or None."""
    detail = None if heard.fault is None else heard.fault.find("detail")
    return detail[0] if detail is not None and len(detail) else None


def _of_soap(heard: census.Heard) -> bool:
    """Whether a fault is SOAP's own, which has no detail."""
    code = (heard.fault.findtext("faultcode") or "").rpartition(":")[2]
    return code in ("MustUnderstand", "VersionMismatch")


def _is_declared(heard: census.Heard) -> bool:
    return census.is_fault(heard) and not _of_soap(heard)


def _message(heard: census.Heard):
    return _declared(heard) if census.is_fault(heard) else heard.entry


def _has_message(heard: census.Heard) -> bool:
    return _message(heard) is not None


@BOOK.case("replies-valid-lxml", "contract: schemas", **_LAST)
def valid_lxml(talk):
    """Every reply and every fault detail is valid against the contract's schemas, says lxml"""
    census.every(talk, lambda heard: replies.invalid_by_lxml(_message(heard)), _has_message)


@BOOK.case("replies-valid-xmlschema", "contract: schemas", **_LAST)
def valid_xmlschema(talk):
    """Every reply and every fault detail is valid against the contract's schemas, says xmlschema"""
    census.every(talk, lambda heard: replies.invalid_by_xmlschema(_message(heard)), _has_message)


@BOOK.case("replies-children-unqualified", "contract: elementFormDefault; clients: 4", **_LAST)
def unqualified(talk):
    """Inside the root of a reply, and of a fault's detail, every element is in no namespace"""

    def wrong(heard):
        root = _message(heard)
        qualified = next((element.tag for element in root.iterdescendants("{*}*") if "}" in element.tag), None)
        return qualified and f"{qualified} is qualified"

    census.every(talk, wrong, _has_message)


@BOOK.case("replies-no-header", "clients: 11", **_LAST)
def no_header(talk):
    """A reply has no header block"""

    def wrong(heard):
        header = heard.root.find(replies.HEADER)
        return None if header is None or not len(header) else f"the reply has the header block {header[0].tag}"

    census.every(talk, wrong)


@BOOK.case("replies-content-type-to-the-letter", "clients: 7; HTTP and SOAP", **_LAST)
def content_type(talk):
    """Replies and faults are text/xml; charset=utf-8"""

    def wrong(heard):
        kind = heard.exchange.header("content-type")
        plain = kind.lower().replace(" ", "").replace('"', "")
        return None if plain == "text/xml;charset=utf-8" else f"the Content-Type is {kind or 'absent'}"

    census.every(talk, wrong)


@BOOK.case("replies-not-compressed", "clients: 10", **_LAST)
def compressed(talk):
    """No reply is compressed that nobody asked to compress"""
    for exchange in census.heard(talk):
        asked = {name.lower(): value for name, value in exchange.sent_headers}.get("accept-encoding", "")
        if exchange.header("content-encoding") not in ("", "identity") and exchange.header("content-encoding") not in asked:
            talk.exchanges.append(exchange)
            raise case.Failed(f"a reply has Content-Encoding: {exchange.header('content-encoding')}")


@BOOK.case("fault-code-server", "Faults", **_LAST)
def faultcode(talk):
    """The faultcode of a declared fault is soapenv:Server, with that prefix"""
    census.every(talk, lambda heard: None if heard.fault.findtext("faultcode") == "soapenv:Server" else
                 f"the faultcode is {heard.fault.findtext('faultcode')}", _is_declared)  # fmt: skip


@BOOK.case("fault-string", "Faults", **_LAST)
def faultstring(talk):
    """The faultstring of a declared fault is the exception's class"""
    census.every(talk, lambda heard: None if heard.fault.findtext("faultstring") == _FAULTSTRING else
                 f"the faultstring is {heard.fault.findtext('faultstring')}", _is_declared)  # fmt: skip


@BOOK.case("fault-no-actor", "Faults", **_LAST)
def no_actor(talk):
    """A fault has no faultactor"""
    census.every(talk, lambda heard: None if heard.fault.find("faultactor") is None else "the fault has a faultactor",
                 census.is_fault)  # fmt: skip


@BOOK.case("fault-prefix-ns10", "Faults", **_LAST)
def prefix(talk):
    """The exception in the detail has the prefix ns10, which a live client searches for"""
    census.every(talk, lambda heard: None if _declared(heard) is not None and _declared(heard).prefix == "ns10" else
                 f"the prefix is {_declared(heard) is not None and _declared(heard).prefix}", _is_declared)  # fmt: skip


@BOOK.case("fault-prefix-soapenv", "Faults", **_LAST)
def envelope_prefix(talk):
    """The envelope of a fault has the prefix soapenv"""
    census.every(talk, lambda heard: None if heard.root.prefix == "soapenv" else f"the prefix is {heard.root.prefix}",
                 census.is_fault)  # fmt: skip


@BOOK.case("fault-one-exception", "Faults; contract: WSDL, fault", **_LAST)
def one_exception(talk):
    """The detail of a fault holds one MIAPAPIException with its five children in order"""

    def wrong(heard):
        detail = heard.fault.find("detail")
        if detail is None or len(detail) != 1:
            return f"the detail holds {0 if detail is None else len(detail)} elements"
        if detail[0].tag != contract.FAULT_ELEMENT:
            return f"the detail holds {detail[0].tag}"
        names = [child.tag for child in detail[0]]
        return None if names == _FIELDS else f"its children are {', '.join(names)}"

    census.every(talk, wrong, _is_declared)


@BOOK.case("fault-timestamp", "Faults", **_LAST)
def timestamp(talk):
    """ErrorTimestamp is yyyy-MM-dd HH:mm:ss"""

    def wrong(heard):
        found = _declared(heard).findtext("ErrorTimestamp") or ""
        return None if re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", found, re.ASCII) else f"it is {found!r}"

    census.every(talk, wrong, lambda heard: _is_declared(heard) and _declared(heard) is not None)


@BOOK.case("fault-actor-of-wsec0001", "Faults", **_LAST)
def actor(talk):
    """ErrorActor of WSEC0001 is the message validator"""
    wanted = codes.ERROR_ACTOR[codes.ErrorCode.INVALID_REQUEST]
    census.every(talk, lambda heard: None if _declared(heard).findtext("ErrorActor") == wanted else
                 f"it is {_declared(heard).findtext('ErrorActor')!r}",
                 lambda heard: _is_declared(heard) and _has_message(heard)
                 and _declared(heard).findtext("ErrorCode") == "WSEC0001")  # fmt: skip


@BOOK.case("codes-are-of-the-tables", "code tables", **_LAST)
def known_codes(talk):
    """Every code is of the published tables, with four digits for WSRC and WSEC and three for WSVRC"""
    known = {row["code"] for name in ("response_codes", "error_codes", "verification_codes") for row in codes.TABLE[name]}

    def wrong(heard):
        found = [element.text or "" for element in _message(heard).iter("ResponseCode", "ErrorCode")]
        return next((f"{code!r} is in no table" for code in found if code not in known), None)

    census.every(talk, wrong, _has_message)


@BOOK.case("passwords-are-not-told", "Faults; HTTP and SOAP", basis="P", **_LAST)
def no_password(talk):
    """No reply repeats an OrgPassword that was sent"""
    for exchange in census.heard(talk):
        sent = set(re.findall(r"<OrgPassword>([^<&]{8,})</OrgPassword>", exchange.sent.decode("utf-8", "replace")))
        if any(password.strip() and password.encode() in exchange.body for password in sent):
            talk.exchanges.append(exchange)
            raise case.Failed("a reply repeats the OrgPassword of its request")


@BOOK.case("passwords-are-not-told-by-mistake", "Faults", basis="P")
def no_password_elsewhere(talk):
    """A password that a client puts into a wrong element is not repeated in the fault"""
    password = talk.target.organisations["main"].org_password
    values = talk.values() | {"FindType": "FUL", "ULN": password, "FamilyName": "Ann", "GivenName": "Ann"}
    exchange = talk.post(messages.message("learnerByULN", values))
    case.equal(replies.read(exchange).code, "WSEC0001", "the code for a password as ULN")
    case.require(password.encode() not in exchange.body, "the fault repeats the password")
