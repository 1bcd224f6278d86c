"""What the Basic Profile says of HTTP."""

from urllib.parse import urlsplit

from lrs_soap.conformance import case, census, messages, replies

BOOK = case.Book(case.Part.PROFILE)


def _search(talk) -> bytes:
    return talk.message("learnerByDemographics", {"FindType": "FUL"} | talk.nobody())


@BOOK.case("R1108-no-extension-framework", "R1108", last=True)
def extension_framework(talk):
    """Replies do not use the HTTP Extension Framework"""
    for exchange in census.heard(talk):
        if any(name in ("man", "opt", "c-man", "c-opt", "ext", "c-ext") for name, _ in exchange.headers):
            talk.exchanges.append(exchange)
            raise case.Failed("a reply has a header of the HTTP Extension Framework")


@BOOK.case("R1113-malformed-http-400", "R1113 R1125")
def malformed(talk):
    """A request that is no HTTP is answered with 4xx, or not at all"""
    connection = talk.session.wire.alone()
    host = urlsplit(talk.session.url).netloc.rpartition("@")[2]
    head = f"POST {urlsplit(talk.session.url).path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: many\r\n\r\n".encode()
    exchange = talk.note(connection.raw("POST", talk.session.url, head, b"", {}, shown=head))
    connection.close()
    if "no connection" in exchange.problem or exchange.problem.startswith("no answer"):
        raise case.Failed(exchange.problem)
    case.require(exchange.problem or 400 <= exchange.status < 500, f"it was answered with HTTP {exchange.status}")


@BOOK.case("R1114-405-for-other-methods", "R1114 R1132")
def other_methods(talk):
    """Other methods than POST at the endpoint get 405"""
    for method in ("PUT", "DELETE", "PATCH"):
        exchange = talk.send(method)
        case.require(not exchange.problem, exchange.problem)
        case.equal(exchange.status, 405, f"the status for {method}")
        case.require("POST" in exchange.header("allow").upper(), f"405 for {method} does not say Allow: POST (RFC 9110, 15.5.6)")


@BOOK.case("R1114-get-is-no-call", "R1114 R1132")
def get_is_no_call(talk):
    """GET at the endpoint is 405, or a page, but never a call"""
    exchange = talk.send("GET")
    case.require(not exchange.problem, exchange.problem)
    case.require(exchange.status in (200, 405), f"HTTP {exchange.status} came")
    case.require(b"Response>" not in exchange.body, "GET was answered with a reply of an operation")


@BOOK.case("R1115-415-for-other-content-types", "R1115")
def other_types(talk):
    """Other content types than text/xml get 415"""
    for kind in ("application/soap+xml", "application/json", "text/plain"):
        exchange = talk.post(_search(talk), Content_Type=kind)
        case.require(not exchange.problem, exchange.problem)
        case.equal(exchange.status, 415, f"the status for {kind}")


@BOOK.case("R1121-no-cookies-needed", "R1120 R1121")
def cookies(talk):
    """A client that keeps no cookie is served"""
    for _ in range(2):
        answer = replies.read(talk.post(_search(talk)))
        case.require(not answer.is_fault, f"a call without a cookie was answered with {answer.summary()}")


@BOOK.case("R1130-no-other-redirect", "R1130", last=True)
def redirects(talk):
    """A redirect, if there is one, is 307"""
    for exchange in census.heard(talk):
        if exchange.method == "POST" and exchange.status in (300, 301, 302, 303, 305, 308):
            talk.exchanges.append(exchange)
            raise case.Failed(f"a call was redirected with HTTP {exchange.status}")


@BOOK.case("R1140-http-11", "R1140 R1141", last=True)
def http_11(talk):
    """Calls of HTTP/1.1 are answered in HTTP/1.1"""
    heard = [exchange for exchange in census.heard(talk) if exchange.version]
    for exchange in heard:
        if exchange.version != 11 and not exchange.url.endswith("#1.0"):
            talk.exchanges.append(exchange)
            raise case.Failed("a call of HTTP/1.1 was answered in HTTP/1.0")


@BOOK.case("R1141-http-10", "R1141; clients: Axis 1")
def http_10(talk):
    """A call of HTTP/1.0 is answered, and not in chunks"""
    body = _search(talk)
    parts = urlsplit(talk.session.url)
    host = parts.netloc.rpartition("@")[2]
    head = (
        f"POST {parts.path} HTTP/1.0\r\nHost: {host}\r\nContent-Type: text/xml; charset=utf-8\r\n"
        f'SOAPAction: ""\r\nContent-Length: {len(body)}\r\n\r\n'
    ).encode()
    connection = talk.session.wire.alone()
    exchange = talk.note(connection.raw("POST", f"{talk.session.url}#1.0", head, body, {}))
    connection.close()
    case.require("chunked" not in exchange.header("transfer-encoding").lower(), "the reply to HTTP/1.0 is chunked")
    case.require(not replies.read(exchange).is_fault, "HTTP/1.0 was answered with a fault")


@BOOK.case("R1018-charset-of-request", "R1018")
def charset_of_request(talk):
    """The charset of a request's Content-Type outranks its XML declaration"""
    person = talk.nobody() | {"GivenName": "Zoë"}
    message = messages.message("learnerByDemographics", talk.values() | {"FindType": "FUL"} | person)
    latin = message.decode().replace("&#235;", "ë").encode("iso-8859-1", "xmlcharrefreplace")
    answer = replies.read(talk.post(latin, Content_Type="text/xml; charset=iso-8859-1"))
    case.equal(answer.text("GivenName"), "Zoë", "the given name as it is echoed")
