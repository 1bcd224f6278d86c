"""The streaming XML door: the refusals of `parser`, and one element at a time."""

import io

import pytest

from lrs_soap import errors
from lrs_soap.wire import stream


def test_no_more_than_one_element_is_held():
    body = b"".join(b"<b><c>%d</c></b> \n" % n for n in range(20_000))
    seen, root = [], None
    for event, element in stream.elements(io.BytesIO(b"<a>" + body + b"</a>")):
        if event == "start":
            root = element
        else:
            seen.append(element.findtext("c"))
            assert root.index(element) <= 1
    assert seen == [str(n) for n in range(20_000)]


@pytest.mark.parametrize("data", [
    "<a><b>é</b></a>".encode(), "\ufeff<a><b>é</b></a>".encode(), "<a><b>é</b></a>".encode("utf-16"),
    '<?xml version="1.0" encoding="ISO-8859-1"?><a><b>é</b></a>'.encode("latin-1"),
    ' \n<?xml version="1.0"?><!-- x --><a><!-- y --><b>é</b></a>'.encode(),
])  # fmt: skip
def test_encodings(data):
    assert [element.text for event, element in stream.elements(io.BytesIO(data)) if event == "end"] == ["é"]


@pytest.mark.parametrize(("data", "reason"), [
    (b"", "empty"),
    (b"  \n", "empty"),
    (b"a,b", "not-xml"),
    (b"<a>", "not-well-formed"),
    (b"<a></b>", "not-well-formed"),
    (b"<a/><b/>", "not-well-formed"),
    (b"<!DOCTYPE a><a/>", "doctype"),
    (b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", "doctype"),
    (b"<!--" + b"x" * 1_000 + b"--><!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>", "doctype"),
    (b"<a>&b;</a>", "entity"),
    (b"<a><?b c?></a>", "processing-instruction"),
    (b"<?b c?><a/>", "processing-instruction"),
    (b"<a>\xff</a>", "encoding"),
    (b"<?xml version='1.0' encoding='x-klingon'?><a/>", "unknown-encoding"),
    (b"<a>" * 300, "too-complex"),
])  # fmt: skip
def test_refusals(data, reason):
    with pytest.raises(errors.InvalidRequest) as caught:
        list(stream.elements(io.BytesIO(data)))
    assert caught.value.reason == reason
    assert "klingon" not in caught.value.further_details


def test_the_place_of_an_error():
    with pytest.raises(errors.InvalidRequest) as caught:
        list(stream.elements(io.BytesIO(b" \n<?xml version='1.0'?>\n<a>\n<b></c></a>")))
    assert "line 4" in caught.value.further_details


def test_no_external_dtd_is_opened(tmp_path):
    path = tmp_path / "x.dtd"
    path.write_text("this is no DTD, and libxml2 would say so")
    for before in ("", "<!--x-->"):
        with pytest.raises(errors.InvalidRequest) as caught:
            list(stream.elements(io.BytesIO(f"{before}<!DOCTYPE a SYSTEM '{path}'><a/>".encode())))
        assert caught.value.reason == "doctype"
