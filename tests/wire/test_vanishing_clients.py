"""Clients that go before they have read their reply, at any byte of it: the server goes on, and the register holds what
was registered, once."""

import socket
import struct
import time

import pytest
from support import batches, soap

from lrs_soap import contract

WHO = {"OrganisationRef": "SAND01", "OrgPassword": "sandbox-password", "UserName": "J. College"}
DETAILS = {"VerificationType": "2", "AbilityToShare": "1", "Gender": "2", "DateOfBirth": "1997-02-03", "LastKnownPostCode": "AB1 2DE"}
PEOPLE = batches.people()
_RESET = struct.pack("ii", 1, 0)  # SO_LINGER: an end without a goodbye


def somebody():
    person = next(PEOPLE)
    details = DETAILS | {"GivenName": person["given_name"], "FamilyName": person["family_name"]}
    return soap.message("registerSingleLearner", WHO | {f"Learner.{name}": value for name, value in details.items()})


def request(body):
    head = f"POST {contract.ENDPOINT} HTTP/1.1\r\nHost: a\r\nContent-Type: text/xml\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def read(connection, number):
    while number > 0 and (piece := connection.recv(number)):
        number -= len(piece)


def code(sandbox, body):
    """The code of a reply that somebody reads."""
    return soap.answer(sandbox.post(body)).text("ResponseCode")


def settled(sandbox, body):
    """The code once nobody is at the call any more; a register that lost it gives the learner a ULN now."""
    time.sleep(0.2)
    return code(sandbox, body)


@pytest.mark.parametrize("part", [0, 1, 15, 40, 100, 150, 200, 300, 400])
def test_a_reply_that_is_read_in_part(sandbox, part):
    body = somebody()
    with socket.create_connection(("127.0.0.1", sandbox.port), timeout=20) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        connection.sendall(request(body))
        read(connection, part)
        if not part:
            time.sleep(0.3)  # so that it was begun
    assert settled(sandbox, body) == "WSRC0021"
    assert code(sandbox, somebody()) == "WSRC0005"


@pytest.mark.parametrize("sent", [0.1, 0.5, 0.99])
def test_a_request_that_is_sent_in_part_does_nothing(sandbox, sent):
    body = somebody()
    whole = request(body)
    with socket.create_connection(("127.0.0.1", sandbox.port), timeout=20) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        connection.sendall(whole[: int(len(whole) * sent)])
    assert settled(sandbox, body) == "WSRC0005"


def test_a_client_that_says_it_has_sent_everything(sandbox):
    body = somebody()
    with socket.create_connection(("127.0.0.1", sandbox.port), timeout=20) as connection:
        connection.sendall(request(body))
        connection.shutdown(socket.SHUT_WR)
        read(connection, 100_000)
    assert settled(sandbox, body) in ("WSRC0005", "WSRC0021")
    assert code(sandbox, body) == "WSRC0021"
