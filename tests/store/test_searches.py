import datetime

from store_samples import NOW

from lrs_soap.rules import access
from lrs_soap.store import organisations, searches


def test_the_last_search_is_remembered(organisation_id, conn):
    other = organisations.add(
        conn, organisation_ref="TEST39", ukprn="TEST0039", name="B", password_hash="hash", rights=access.ALL
    )
    later = NOW + datetime.timedelta(minutes=1)
    searches.remember(conn, organisation_id, b"one", "WSRC0003", NOW)
    searches.remember(conn, organisation_id, b"one", "WSRC0001", later)
    searches.remember(conn, other, b"one", "WSRC0003", NOW)
    assert searches.last(conn, organisation_id, b"one") == searches.Search("WSRC0001", later)
    assert searches.last(conn, other, b"one") == searches.Search("WSRC0003", NOW)
    assert searches.last(conn, organisation_id, b"two") is None


def test_old_searches_are_forgotten(organisation_id, conn):
    searches.remember(conn, organisation_id, b"old", "WSRC0001", NOW - datetime.timedelta(days=1))
    searches.remember(conn, organisation_id, b"new", "WSRC0001", NOW)
    assert searches.forget(conn, NOW) == 1
    assert searches.last(conn, organisation_id, b"old") is None
    assert searches.last(conn, organisation_id, b"new") is not None
