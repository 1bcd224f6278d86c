"""What the Basic Profile says of receivers: envelopes that must be understood, and those that must not."""

from lrs_soap.conformance import case, messages, replies

BOOK = case.Book(case.Part.PROFILE)
_NEXT = "http://schemas.xmlsoap.org/soap/actor/next"
_BLOCK = '<t:Transaction xmlns:t="urn:example:transaction"{}>5</t:Transaction>'


def _body(talk) -> str:
    """A call that every service can answer without a fault: a search for nobody."""
    person = talk.nobody()
    return messages.text("learnerByDemographics", talk.values() | {"FindType": "FUL"} | person)


def _answered(talk, message: bytes, what: str, **headers) -> replies.Answer:
    """Raises Failed unless the message is answered with a reply. what: begins the sentence that says so."""
    answer = replies.read(talk.post(message, **headers))
    case.require(not answer.is_fault, f"{what} was answered with {answer.summary()}")
    return answer


def _faultcode(talk, message: bytes) -> str:
    """The local name of the faultcode that a message is answered with. Raises Failed if it is no fault."""
    answer = replies.read(talk.post(message))
    case.require(answer.is_fault, f"it was answered with {answer.summary()}, not with a fault")
    return (answer.root.findtext(f"{replies.BODY}/{replies.FAULT}/faultcode") or "").rpartition(":")[2]


def _header(block: str) -> str:
    return f"<soapenv:Header>{block}</soapenv:Header>"


@BOOK.case("R1010-xml-declaration-accepted", "R1010")
def declaration(talk):
    """A request may have an XML declaration, or none"""
    message = messages.envelope(_body(talk))
    _answered(talk, message, "a message with an XML declaration")
    _answered(talk, message.partition(b"?>")[2], "a message without an XML declaration")


@BOOK.case("R1012-utf-16-accepted", "R1012 R4001")
def utf_16(talk):
    """A request may be in UTF-16, with a byte order mark"""
    text = messages.envelope(_body(talk)).decode().replace("UTF-8", "UTF-16")
    _answered(talk, text.encode("utf-16"), "a message in UTF-16", Content_Type="text/xml; charset=utf-16")


@BOOK.case("R4001-byte-order-mark-accepted", "R4001")
def byte_order_mark(talk):
    """A request may begin with the byte order mark of UTF-8"""
    _answered(talk, b"\xef\xbb\xbf" + messages.envelope(_body(talk)), "a message with a byte order mark")


@BOOK.case("R1015-other-root-refused", "R1015 R1029")
def other_root(talk):
    """A document whose root is no Envelope is answered with a fault"""
    _faultcode(talk, messages.envelope(_body(talk)).replace(b"soapenv:Envelope", b"soapenv:Letter"))


@BOOK.case("R1015-soap-12-version-mismatch", "R1015 R2725; SOAP 1.1, 4.4")
def soap_12(talk):
    """An envelope of SOAP 1.2 is answered with VersionMismatch"""
    other = messages.envelope(_body(talk)).replace(messages.ENVELOPE.encode(), b"http://www.w3.org/2003/05/soap-envelope")
    case.equal(_faultcode(talk, other), "VersionMismatch", "the faultcode for SOAP 1.2")


@BOOK.case("R1017-xsi-type-not-needed", "R1017")
def xsi_type(talk):
    """xsi:type is not asked for, and its declared type is accepted"""
    body = _body(talk)
    _answered(talk, messages.envelope(body), "a message without xsi:type")
    typed = body.replace("<FamilyName>", '<FamilyName xmlns:l="http://api.lrs.miap.gov.uk/learner" '
                         'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="l:MIAPNameNonEmpty">')  # fmt: skip
    _answered(talk, messages.envelope(typed), "a message with the declared type in xsi:type")


@BOOK.case("R1025-headers-before-the-body", "R1025 R2725")
def headers_first(talk):
    """A mandatory header that is not understood is found before a mistake in the body"""
    body = _body(talk).replace("<FindType>FUL", "<FindType>XXX")
    message = messages.envelope(body, _header(_BLOCK.format(' soapenv:mustUnderstand="1"')))
    case.equal(_faultcode(talk, message), "MustUnderstand", "the faultcode")


@BOOK.case("R1025-headers-before-any-effect", "R1025 R1027 R1028", writes=True)
def headers_before_effect(talk):
    """A registration with a mandatory header that is not understood registers nobody"""
    person = talk.nobody()
    given = person | {"VerificationType": "2", "AbilityToShare": "1"}
    body = messages.text("registerSingleLearner", talk.values() | {f"Learner.{k}": v for k, v in given.items()})
    message = messages.envelope(body, _header(_BLOCK.format(' soapenv:mustUnderstand="1"')))
    case.equal(_faultcode(talk, message), "MustUnderstand", "the faultcode")
    talk.find(person).expect("WSRC0001")


@BOOK.case("R1027-must-understand", "R1027")
def must_understand(talk):
    """A header block marked mustUnderstand="1" that is not understood is answered with MustUnderstand"""
    message = messages.envelope(_body(talk), _header(_BLOCK.format(' soapenv:mustUnderstand="1"')))
    case.equal(_faultcode(talk, message), "MustUnderstand", "the faultcode")


@BOOK.case("R1027-must-understand-next", "R1027; SOAP 1.1, 4.2.2")
def must_understand_next(talk):
    """The same for a block addressed to the next one who receives it"""
    mark = f' soapenv:actor="{_NEXT}" soapenv:mustUnderstand="1"'
    case.equal(_faultcode(talk, messages.envelope(_body(talk), _header(_BLOCK.format(mark)))), "MustUnderstand", "the faultcode")


@BOOK.case("R1027-others-headers-ignored", "R1027; SOAP 1.1, 4.2")
def other_headers(talk):
    """A header block that is optional, or addressed to somebody else, is ignored"""
    for mark in ("", ' soapenv:mustUnderstand="0"', ' soapenv:actor="urn:example:else" soapenv:mustUnderstand="1"'):
        _answered(talk, messages.envelope(_body(talk), _header(_BLOCK.format(mark))), f"a header block with{mark or 'out marks'}")
    _answered(talk, messages.envelope(_body(talk), "<soapenv:Header/>"), "an empty Header")


@BOOK.case("R1029-fault-instead-of-a-reply", "R1029")
def fault_instead(talk):
    """A request that cannot be processed is answered with a fault in place of the reply"""
    for body in ("", "<a xmlns='urn:a'/>", _body(talk) * 2):
        _faultcode(talk, messages.envelope(body))


@BOOK.case("R1119-unquoted-soapaction", "R1119 R1127")
def unquoted_action(talk):
    """A SOAPAction without quotes is no reason to refuse (the contract asks for more than R1119)"""
    _answered(talk, messages.envelope(_body(talk)), "a SOAPAction without quotes", SOAPAction="urn:anything")


@BOOK.case("R1127-soapaction-says-nothing", "R1127 R2744 R2745")
def soap_action(talk):
    """The body, not SOAPAction, says which operation is called"""
    for action in ('""', '"urn:nonsense"', '"http://api.lrs.miap.gov.uk/regmsg#RegisterLearner"', ""):
        _answered(talk, messages.envelope(_body(talk)), f"SOAPAction: {action}", SOAPAction=action)
    given = {"Content-Type": "text/xml; charset=utf-8"}
    without = talk.note(talk.session.wire.send("POST", talk.session.url, messages.envelope(_body(talk)), given))
    case.require(not replies.read(without).is_fault, "a message without SOAPAction was answered with a fault")


@BOOK.case("R2725-order-of-checks", "R2725")
def order_of_checks(talk):
    """VersionMismatch is found before MustUnderstand"""
    message = messages.envelope(_body(talk), _header(_BLOCK.format(' soapenv:mustUnderstand="1"')))
    other = message.replace(messages.ENVELOPE.encode(), b"http://www.w3.org/2003/05/soap-envelope")
    case.equal(_faultcode(talk, other), "VersionMismatch", "the faultcode")
