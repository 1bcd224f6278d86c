"""What the server gives besides calls: the WSDL for the host the client used, its schemas, the page."""

import socket

import pytest
from lxml import etree
from support import server

from lrs_soap import contract

ENDPOINT = contract.ENDPOINT


def raw(sandbox, request: bytes) -> bytes:
    """What the server sends to `request` until it closes the connection."""
    with socket.create_connection(("127.0.0.1", sandbox.port), timeout=20) as connection:
        connection.sendall(request)
        return b"".join(iter(lambda: connection.recv(65536), b""))


def locations(wsdl: bytes) -> list[str]:
    return [
        node.get("schemaLocation") for node in etree.fromstring(wsdl).iter("{http://www.w3.org/2001/XMLSchema}import")
    ]


def address(wsdl: bytes) -> str:
    (node,) = etree.fromstring(wsdl).iter("{http://schemas.xmlsoap.org/wsdl/soap/}address")
    return node.get("location")


@pytest.mark.parametrize("query", ["wsdl", "WSDL", "Wsdl", "wsdl=", "wsdl&x=1"])
def test_the_wsdl(sandbox, query):
    reply = sandbox.get(f"{ENDPOINT}?{query}")
    assert (reply.status, reply.headers["content-type"]) == (200, "text/xml; charset=utf-8")
    assert address(reply.body).partition("?")[0] == sandbox.url


def test_the_schemas_have_the_relative_names_of_the_wsdl(sandbox):
    directory = ENDPOINT.rpartition("/")[0]
    names = set(locations(sandbox.get(f"{ENDPOINT}?wsdl").body))
    assert names
    for name in names:
        assert "/" not in name
        reply = sandbox.get(f"{directory}/{name}")
        assert (reply.status, reply.headers["content-type"]) == (200, "text/xml; charset=utf-8")
        assert set(locations(reply.body)) <= set(contract.FILES)


@pytest.mark.parametrize("path", ["/", "/healthz", f"{ENDPOINT}?wsdl", "/MIAPWebService/services/codes.json"])
def test_head_is_get_without_the_body(sandbox, path):
    got, headed = sandbox.get(path), sandbox.request("HEAD", path)
    assert got.status == headed.status == 200
    assert headed.headers["content-length"] == str(len(got.body))
    assert headed.body == b""


def test_the_page_says_what_this_is(sandbox):
    page = sandbox.get("/").body.decode()
    assert f"{sandbox.url}?wsdl" in page
    assert "Sandbox" in page


@pytest.mark.parametrize("host", ["lrs.example.org", "lrs.example.org:8443", "192.0.2.7:80", "[2001:db8::1]:8080"])
def test_the_address_in_the_wsdl_follows_the_host_the_client_used(sandbox, host):
    reply = sandbox.get(f"{ENDPOINT}?wsdl", Host=host)
    assert address(reply.body).partition("?")[0] == f"http://{host}{ENDPOINT}"


@pytest.mark.parametrize("host", ['x"><evil', "a b", "a/b", "user@host", "x.example:99999999", "<script>"])
def test_a_host_that_is_none_goes_nowhere(sandbox, host):
    for path in (f"{ENDPOINT}?wsdl", "/"):
        reply = raw(sandbox, f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
        status, _, rest = reply.partition(b"\r\n")
        assert status.split()[1] in (b"200", b"400")
        assert host.encode() not in rest.partition(b"\r\n\r\n")[2]


FORWARDED = {"X_Forwarded_Proto": "https", "X_Forwarded_Host": "lrs.example.org", "X_Forwarded_Prefix": "/register"}


def test_headers_of_a_proxy_are_not_believed_unasked(sandbox):
    reply = sandbox.get(f"{ENDPOINT}?wsdl", **FORWARDED)
    assert address(reply.body).partition("?")[0] == sandbox.url


def test_headers_of_a_proxy_are_believed_if_the_settings_say_so(sqlite_databases):
    url = sqlite_databases.sandbox()
    with server.running(url, trusted_proxies="127.0.0.1") as behind_proxy:
        reply = behind_proxy.get(f"{ENDPOINT}?wsdl", **FORWARDED)
        assert address(reply.body).partition("?")[0] == f"https://lrs.example.org/register{ENDPOINT}"
    sqlite_databases.drop(url)
