"""HTTP and SOAP as real clients need them, beyond what the Basic Profile asks."""

from urllib.parse import urlsplit

from lrs_soap.conformance import case, messages, replies

BOOK = case.Book(case.Part.BEHAVIOUR)
_CLAUSE = "HTTP and SOAP"


def _values(talk) -> dict:
    return talk.values() | {"FindType": "FUL"} | talk.nobody()


def _body(talk) -> str:
    return messages.text("learnerByDemographics", _values(talk))


def _fine(talk, message: bytes, what: str, url: str = "", **headers) -> None:
    answer = replies.read(talk.post(message, url, **headers))
    case.require(answer.code == "WSRC0001", f"{what} was answered with {answer.summary()}")


def _head(talk, *lines: str) -> bytes:
    parts = urlsplit(talk.session.url)
    given = [f"POST {parts.path} HTTP/1.1", f"Host: {parts.netloc.rpartition('@')[2]}", "Content-Type: text/xml; charset=utf-8",
             'SOAPAction: ""', *lines]  # fmt: skip
    return ("\r\n".join(given) + "\r\n\r\n").encode()


@BOOK.case("http-post-to-wsdl-url", "clients: 2")
def post_to_wsdl(talk):
    """A call may be sent to the endpoint with ?wsdl behind it"""
    _fine(talk, messages.envelope(_body(talk)), "a call to ?wsdl", talk.session.wsdl_url)


@BOOK.case("http-chunked-request", _CLAUSE + "; clients: 8")
def chunked(talk):
    """A request may come in chunks"""
    message = messages.envelope(_body(talk))
    middle = len(message) // 2
    pieces = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in (message[:middle], message[middle:], b""))
    connection = talk.session.wire.alone()
    exchange = connection.raw("POST", talk.session.url, _head(talk, "Transfer-Encoding: chunked"), pieces, {}, shown=message)
    connection.close()
    replies.read(talk.note(exchange)).expect("WSRC0001")


@BOOK.case("http-expect-100", _CLAUSE + "; clients: 9")
def expect(talk):
    """Expect: 100-continue, as .NET sends it, is no obstacle"""
    message = messages.envelope(_body(talk))
    connection = talk.session.wire.alone()
    head = _head(talk, "Expect: 100-continue", f"Content-Length: {len(message)}")
    exchange = talk.note(connection.raw("POST", talk.session.url, head, message, {}))
    connection.close()
    replies.read(exchange).expect("WSRC0001")


@BOOK.case("http-keep-alive", _CLAUSE)
def keep_alive(talk):
    """A connection stays open after a reply and after a fault"""
    connection = talk.session.wire.alone()
    good, bad = messages.envelope(_body(talk)), messages.envelope(_body(talk).replace("FUL", "XXX"))
    given = {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": '""'}
    for what, message in (("the first", good), ("a reply", bad), ("a fault", good), ("another reply", b"<not-xml")):
        exchange = talk.note(connection.send("POST", talk.session.url, message, given))
        case.require(not exchange.problem, f"behind {what}: {exchange.problem}")
        case.equal(connection.opened_count, 1, f"connections that were needed for the call behind {what}")
    connection.close()


@BOOK.case("http-accept-says-nothing", "clients: 10")
def accept(talk):
    """Accept and Accept-Encoding are no reason to refuse, nor to compress"""
    for headers in ({"Accept": "image/png"}, {"Accept_Encoding": "none"}, {"Accept": "application/soap+xml, */*;q=0"}):
        _fine(talk, messages.envelope(_body(talk)), f"{headers}", **headers)


@BOOK.case("http-gzip-not-unasked", "clients: 10")
def gzip(talk):
    """Without Accept-Encoding nothing is compressed"""
    exchange = talk.post(messages.envelope(_body(talk)))
    case.equal(exchange.header("content-encoding") or "identity", "identity", "Content-Encoding")
    replies.read(exchange)


@BOOK.case("http-content-type-missing", _CLAUSE, basis="P")
def no_content_type(talk):
    """A request without Content-Type is taken as text/xml"""
    exchange = talk.note(talk.session.wire.send("POST", talk.session.url, messages.envelope(_body(talk)), {}))
    replies.read(exchange).expect("WSRC0001")


@BOOK.case("http-charset-spellings", _CLAUSE)
def charset_spellings(talk):
    """text/xml may be written in capitals, with a quoted charset, or without one"""
    for kind in ("TEXT/XML; CHARSET=UTF-8", 'text/xml;charset="utf-8"', "text/xml", "text/xml; action=x; charset=utf-8"):
        _fine(talk, messages.envelope(_body(talk)), kind, Content_Type=kind)


@BOOK.case("xml-encodings", _CLAUSE)
def encodings(talk):
    """A request may be in UTF-8, UTF-16 or ISO-8859-1, as charset or XML declaration says"""
    text = messages.envelope(messages.text("learnerByDemographics", _values(talk) | {"GivenName": "Zoë"})).decode()
    text = text.replace("&#235;", "ë")
    for name, charset in (("utf-8", "utf-8"), ("utf-16", "utf-16"), ("iso-8859-1", "iso-8859-1"), ("iso-8859-1", None)):
        data = text.replace('encoding="UTF-8"', f'encoding="{name}"').encode(name)
        answer = replies.read(talk.post(data, Content_Type=f"text/xml; charset={charset}" if charset else "text/xml"))
        case.equal(answer.text("GivenName"), "Zoë", f"the echo of a request in {name}")


@BOOK.case("xml-ways-of-writing", _CLAUSE + "; clients: 5")
def ways(talk):
    """Comments, CDATA, character references, white space and blank lines around are only ways of writing"""
    body = _body(talk).replace("<FindType>FUL", "<!-- full --><FindType>F<![CDATA[U]]>&#76;")
    _fine(talk, messages.envelope(body), "a message with a comment, CDATA and a character reference")
    _fine(talk, messages.envelope(_body(talk).replace("><", ">\r\n  <")) + b"\r\n\r\n", "a message with white space")
    _fine(talk, b"\r\n " + messages.envelope(_body(talk)), "a message with white space before the XML declaration")


@BOOK.case("soap-other-prefixes", _CLAUSE)
def prefixes(talk):
    """Prefixes are the sender's own affair"""
    message = messages.envelope(_body(talk)).replace(b"soapenv", b"SOAP-ENV").replace(b"xmlns:m=", b"xmlns:ns1=")
    _fine(talk, message.replace(b"<m:", b"<ns1:").replace(b"</m:", b"</ns1:"), "a message with other prefixes")


@BOOK.case("soap-encoding-style-accepted", "clients: 5")
def encoding_style(talk):
    """An encodingStyle attribute on a request's envelope does no harm"""
    marked = b'<soapenv:Envelope soapenv:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/" '
    _fine(talk, messages.envelope(_body(talk)).replace(b"<soapenv:Envelope ", marked), "a message with encodingStyle")


def _refused(id: str, title: str, change) -> None:
    def run(talk) -> None:
        replies.read(talk.post(change(talk))).expect("WSEC0001")

    BOOK.add(id, title, _CLAUSE, run)


_DTD = b'<!DOCTYPE x [<!ENTITY e "FUL">]>'
_refused("soap-dtd-refused", "A document type declaration is refused (WSEC0001)",
         lambda talk: messages.envelope(_body(talk)).replace(b"?>", b"?>" + _DTD, 1))  # fmt: skip
_refused("soap-entity-refused", "An entity is refused (WSEC0001), not replaced",
         lambda talk: messages.envelope(_body(talk).replace("FUL", "&e;")).replace(b"?>", b"?>" + _DTD, 1))  # fmt: skip
_refused("soap-pi-refused", "A processing instruction is refused (WSEC0001)",
         lambda talk: messages.envelope("<?go away?>" + _body(talk)))  # fmt: skip
_refused("soap-not-xml", "What is not XML is refused (WSEC0001)", lambda talk: b"ULN=4123999998&FindType=FUL")
_refused("soap-cut-off", "XML that is cut off is refused (WSEC0001)", lambda talk: messages.envelope(_body(talk))[:-40])
_refused("soap-no-body", "An envelope without Body is refused (WSEC0001)",
         lambda talk: f'<e:Envelope xmlns:e="{messages.ENVELOPE}"/>'.encode())  # fmt: skip
_refused("soap-empty-body", "An empty Body is refused (WSEC0001)", lambda talk: messages.envelope(""))
_refused("soap-two-requests", "Two requests in one Body are refused (WSEC0001)",
         lambda talk: messages.envelope(_body(talk) + _body(talk)))  # fmt: skip
_refused("soap-nothing", "An empty message is refused (WSEC0001)", lambda talk: b"")
