"""CSV there and back, and what is said of quotes and bytes that are wrong."""

import csv
import io
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lrs_soap.batchfile import encodings, layout, problems, scanner, writing

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12) | st.text(',;"\r\n\t a', max_size=8)


def scan(text: str, delimiter: str = ",") -> list[scanner.Row]:
    lines = io.StringIO(text, newline="").readlines()
    return list(scanner.rows((encodings.Line(n, line) for n, line in enumerate(lines, 1)), delimiter))


@given(st.lists(st.tuples(TEXT, TEXT, TEXT), min_size=1, max_size=5))
def test_what_is_written_is_read(table):
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "x.CSV"
        with writing.rows(path, ("a", "b", "c")) as writer:
            writer.writerows(table)
        lines = encodings.lines(path, encodings.detect(path))
        read = [tuple(row.values) for row in scanner.rows(lines, ",")]
        assert read == [("a", "b", "c"), *table]
        with path.open(encoding="utf-8-sig", newline="") as file:  # a judge that is not ours
            assert [tuple(row) for row in csv.reader(file, strict=True)] == read


def test_places_of_values():
    rows = scan('a,"b\nc",d\r\n"e",,f')
    assert [row.values for row in rows] == [["a", "b\nc", "d"], ["e", "", "f"]]
    assert rows[0].places == [(1, 1), (1, 3), (2, 4)]
    assert [(row.number, row.line) for row in rows] == [(1, 1), (2, 3)]


@pytest.mark.parametrize(("text", "place", "word"), [
    ('x,"Ann\n"y","z"\nlast,1\n', (1, 3), "closes the value at character 1 of line 2"),
    ('x,"Ann" B,z\n"y","z"\nlast,1\n', (1, 3), "more text follows"),
    ('x,A"nn,z\n"y","z"\nlast,1\n', (1, 3), "does not begin with one"),
    ('x,y\n"y","z"\nlast,"1\n', (3, 6), "never closed"),
])  # fmt: skip
def test_a_bad_quote_hides_only_its_own_row(text, place, word):
    rows = scan(text)
    (wrong,) = [row.quote for row in rows if row.quote]
    assert (wrong.line, wrong.position) == place
    assert word in wrong.message
    assert wrong.value is None
    assert ["y", "z"] in [row.values for row in rows]
    assert len(rows) == 3


@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_encodings_of_excel(tmp_path, codec):
    path = tmp_path / "x"
    path.write_bytes("Zoë,O’Neil\r\nSiân,Ó\r\n".encode(codec))
    assert [line.text for line in encodings.lines(path, encodings.detect(path))] == ["Zoë,O’Neil\r\n", "Siân,Ó\r\n"]


@pytest.mark.parametrize(("data", "line", "position", "word"), [
    ("Zoë\r\nSi\xe2n".encode() + b"\r\nx\xff,y", 3, 2, "0xFF stands for no character of UTF-8"),
    (b"a\r\nb\xe9\x81", 2, 3, "0x81 stands for no character of windows-1252"),
    ("a\r\nb\ud800c".encode("utf-16-le", "surrogatepass").join([b"\xff\xfe", b""]), 2, 2, "UTF-16"),
    ("a,b".encode("utf-16-le"), 1, None, "without a byte order mark"),
    ("a,b".encode("utf-32"), 1, None, "UTF-32"),
    (b"PK\x03\x04xl", 1, None, "workbook"),
    (b"a" * (encodings.MAX_LINE + 1), 1, None, "longer than"),
])  # fmt: skip
def test_wrong_bytes_have_a_place(tmp_path, data, line, position, word):
    path = tmp_path / "x"
    path.write_bytes(data)
    with pytest.raises(problems.Unreadable) as caught:
        list(encodings.lines(path, encodings.detect(path)))
    assert (caught.value.problem.line, caught.value.problem.position) == (line, position)
    assert word in str(caught.value)


def test_columns():
    assert len(layout.COLUMNS) == 30
    assert [layout.letter(n) for n in (1, 26, 27, 30)] == ["A", "Z", "AA", "AD"]
    assert layout.parse_name("LRB_SAND0001_310220260915.CSV") is None
    assert str(layout.parse_name("LRB_SAND0001_280220260915.XML")) == "LRB_SAND0001_280220260915.XML"
