"""Servers that are wrong about HTTP."""

import gzip

from proxy import Got, Sent
from spoils import Faults

FAULTS = Faults()
caught_by = FAULTS.server


def _plain(status: int, text: bytes = b"no") -> Got:
    return Got(status, {"content-type": "text/plain"}, text)


@caught_by("R1141-http-10")
def chunked(sent: Sent, on) -> Got:
    """chunks to HTTP/1.0"""
    got = on(sent)
    got.chunked = True
    return got


@caught_by("R1140-http-11")
def old(sent: Sent, on) -> Got:
    """HTTP/1.0 to HTTP/1.1"""
    got = on(sent)
    got.protocol, got.close = "HTTP/1.0", True
    return got


@caught_by("http-gzip-not-unasked replies-not-compressed")
def compressed(sent: Sent, on) -> Got:
    """gzip unasked"""
    got = on(sent)
    got.headers["content-encoding"], got.body = "gzip", gzip.compress(got.body)
    return got


@caught_by("R1127-soapaction-says-nothing")
def needs_action(sent: Sent, on) -> Got:
    """SOAPAction required"""
    return on(sent) if not sent.is_call or "soapaction" in sent.headers else _plain(500)


@caught_by("R1127-soapaction-says-nothing")
def by_action(sent: Sent, on) -> Got:
    """SOAPAction decides"""
    if sent.headers.get("soapaction", '""') not in ('""', ""):
        sent.body = sent.body.replace(b"<m:", b"<m:Un").replace(b"</m:", b"</m:Un")
    return on(sent)


@caught_by("R1119-unquoted-soapaction")
def quoted(sent: Sent, on) -> Got:
    """SOAPAction only in quotes"""
    return on(sent) if sent.headers.get("soapaction", '""').startswith('"') else _plain(500)


@caught_by("R1114-405-for-other-methods")
def any_method(sent: Sent, on) -> Got:
    """404 for other methods"""
    got = on(sent)
    return _plain(404) if got.status == 405 else got


@caught_by("R1114-405-for-other-methods")
def no_allow(sent: Sent, on) -> Got:
    """405 without Allow"""
    got = on(sent)
    got.headers.pop("allow", None)
    return got


@caught_by("R1115-415-for-other-content-types")
def any_type(sent: Sent, on) -> Got:
    """any content type accepted"""
    if sent.is_call:
        sent.headers["content-type"] = "text/xml"
    return on(sent)


@caught_by("R1115-415-for-other-content-types")
def bad_type(sent: Sent, on) -> Got:
    """400 for other content types"""
    got = on(sent)
    got.status = 400 if got.status == 415 else got.status
    return got


@caught_by("http-keep-alive")
def closes(sent: Sent, on) -> Got:
    """the connection closed behind a fault"""
    got = on(sent)
    got.close = got.status == 500
    return got


@caught_by("http-expect-100")
def refuses_expect(sent: Sent, on) -> Got:
    """417 for Expect: 100-continue"""
    return on(sent)


@caught_by("http-chunked-request")
def no_chunks(sent: Sent, on) -> Got:
    """411 for a request in chunks"""
    return on(sent) if "content-length" in sent.headers or not sent.is_call else _plain(411)


@caught_by("http-accept-says-nothing")
def not_acceptable(sent: Sent, on) -> Got:
    """406 for Accept"""
    accepted = sent.headers.get("accept", "text/xml")
    return on(sent) if "xml" in accepted and "soap+xml" not in accepted or "*/*" in accepted and "q=0" not in accepted else _plain(406)


@caught_by("http-post-to-wsdl-url")
def no_query(sent: Sent, on) -> Got:
    """no calls to ?wsdl"""
    return _plain(405) if sent.is_call and "?" in sent.path else on(sent)


@caught_by("R1130-no-other-redirect")
def redirect(sent: Sent, on) -> Got:
    """calls redirected with 302"""
    return Got(302, {"location": sent.path + "/elsewhere"}, b"") if sent.is_call else on(sent)


@caught_by("R1121-no-cookies-needed")
def cookies(sent: Sent, on) -> Got:
    """a cookie needed"""
    if sent.is_call and "cookie" not in sent.headers:
        return Got(500, {"content-type": "text/html", "set-cookie": "session=1"}, b"<html>log in</html>")
    return on(sent)


@caught_by("operation-unknown R1029-fault-instead-of-a-reply soap-not-xml soap-cut-off soap-no-body soap-empty-body soap-nothing")
def html_errors(sent: Sent, on) -> Got:
    """a web page instead of a fault"""
    got = on(sent)
    if got.status == 500:
        got.headers["content-type"], got.body = "text/html", b"<!doctype html><title>500</title><h1>Sorry"
    return got


@caught_by("find-exact")
def cut_off(sent: Sent, on) -> Got:
    """replies cut off"""
    got = on(sent)
    got.missing = 20 if sent.is_call else 0
    return got


@caught_by("R4001-byte-order-mark-accepted")
def no_bom(sent: Sent, on) -> Got:
    """a byte order mark refused"""
    return _plain(500) if sent.body.startswith(b"\xef\xbb\xbf") else on(sent)


@caught_by("R1018-charset-of-request")
def ignores_charset(sent: Sent, on) -> Got:
    """the charset of the Content-Type ignored"""
    if sent.is_call:
        sent.headers["content-type"] = "text/xml"
    return on(sent)


@caught_by("R1010-xml-declaration-accepted")
def needs_declaration(sent: Sent, on) -> Got:
    """an XML declaration required"""
    return on(sent) if not sent.is_call or b"<?xml" in sent.body[:40].replace(b"\0", b"") else _plain(500)


@caught_by("R1108-no-extension-framework")
def extended(sent: Sent, on) -> Got:
    """the HTTP Extension Framework"""
    got = on(sent)
    got.headers["man"] = '"urn:x"; ns=16'
    return got


@caught_by("R1113-malformed-http-400")
def any_length(sent: Sent, on) -> Got:
    """malformed HTTP answered with 200"""
    return _plain(200) if sent.is_malformed else on(sent)


@caught_by("R1114-get-is-no-call")
def by_get(sent: Sent, on) -> Got:
    """calls by GET"""
    if sent.method == "GET" and "?" not in sent.path:
        return Got(200, {"content-type": "text/xml"}, b"<FindLearnerResponse><ResponseCode>WSRC0001</ResponseCode></FindLearnerResponse>")
    return on(sent)


@caught_by("replies-content-type-to-the-letter")
def utf_16_replies(sent: Sent, on) -> Got:
    """replies in UTF-16"""
    got = on(sent)
    if sent.is_call:
        got.body = got.body.replace(b"UTF-8", b"UTF-16").decode().encode("utf-16")
        got.headers["content-type"] = "text/xml; charset=utf-16"
    return got


@caught_by("http-content-type-missing")
def needs_type(sent: Sent, on) -> Got:
    """415 without a Content-Type"""
    return on(sent) if not sent.is_call or "content-type" in sent.headers else _plain(415)


@caught_by("http-charset-spellings")
def one_spelling(sent: Sent, on) -> Got:
    """415 for a quoted charset"""
    return _plain(415) if 'charset="' in sent.headers.get("content-type", "") else on(sent)
