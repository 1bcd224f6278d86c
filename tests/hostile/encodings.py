"""Encodings: those not accepted, those that contradict themselves, bytes that belong to none, and what is compressed."""

import gzip
import zlib

from hostile.shapes import CANARY, DECLARED, VALID, changed, value


def _said(charset: str) -> dict[str, str]:
    return {"Content_Type": f"text/xml; charset={charset}"}


def _declared(encoding: str, message: str = VALID) -> str:
    return f'<?xml version="1.0" encoding="{encoding}"?>{message}'


_PLAIN = {"Content_Type": "text/xml"}
_ACCENTED = value("FamilyName", "Zoë").decode()
_ZEROS = bytes(50_000_000)


def _packed(kind: int) -> bytes:
    packer = zlib.compressobj(9, wbits=kind)
    return packer.compress(VALID.encode()) + packer.flush()


ROWS = [
    ("UTF-7, said", "WSEC0001 unknown-encoding", VALID.encode("utf-7"), _said("utf-7")),
    ("UTF-7, declared", "WSEC0001 unknown-encoding", _declared("UTF-7").encode("utf-7"), _PLAIN),
    ("UTF-7, not said", "WSEC0001 not-xml", VALID.replace("<", "+ADw-").encode(), _PLAIN),
    ("UTF-32 with a mark", "WSEC0001 unknown-encoding", VALID.encode("utf-32"), _PLAIN),
    ("UTF-32, big end first", "WSEC0001 unknown-encoding", VALID.encode("utf-32-be"), _PLAIN),
    ("UTF-32, little end first", "WSEC0001 unknown-encoding", VALID.encode("utf-32-le"), _PLAIN),
    ("UTF-32, said", "WSEC0001 unknown-encoding", VALID.encode("utf-32"), _said("utf-32")),
    ("EBCDIC", "WSEC0001 unknown-encoding", (DECLARED + VALID).encode("cp037"), _PLAIN),
    ("EBCDIC, said", "WSEC0001 unknown-encoding", VALID.encode("cp037"), _said("ibm037")),
    ("EBCDIC, declared in ASCII", "WSEC0001 unknown-encoding", _declared("EBCDIC-CP-US").encode(), _PLAIN),
    ("Shift-JIS", "WSEC0001 unknown-encoding", VALID.encode(), _said("shift_jis")),
    ("GB18030", "WSEC0001 unknown-encoding", VALID.encode(), _said("gb18030")),
    ("ISO-2022-JP, declared", "WSEC0001 unknown-encoding", _declared("ISO-2022-JP").encode(), _PLAIN),
    ("a codec of Python that is none", "WSEC0001 unknown-encoding", VALID.encode(), _said("rot13")),
    ("a codec of Python that decompresses", "WSEC0001 unknown-encoding", VALID.encode(), _said("zlib")),
    ("a codec of Python that escapes", "WSEC0001 unknown-encoding", VALID.encode(), _said("unicode_escape")),
    ("an encoding of a long name", "WSEC0001 unknown-encoding", VALID.encode(), _said("x" * 5000)),
    ("an encoding that is a path", "WSEC0001 unknown-encoding", VALID.encode(), _said("../../etc/passwd")),
    ("an encoding said with quotes in it", "WSEC0001 unknown-encoding", VALID.encode(), _said('"utf-8\\"x"')),
    ("two charsets", "WSRC0004", VALID.encode(), {"Content_Type": "text/xml; charset=utf-8; charset=utf-7"}),
    ("UTF-16 said of UTF-8", "WSEC0001 not-xml", (VALID + " " * (1 - len(VALID) % 2)).encode() + b" ", _said("utf-16")),
    ("UTF-8 said of UTF-16", "WSEC0001 not-xml", VALID.encode("utf-16"), _said("utf-8")),
    ("UTF-8 said of Latin-1", "WSEC0001 encoding", _ACCENTED.encode("latin-1"), _said("utf-8")),
    ("ASCII said of UTF-8", "WSEC0001 encoding", _ACCENTED.encode(), _said("us-ascii")),
    ("UTF-16 declared in UTF-8", "WSRC0004", _declared("UTF-16").encode(), _PLAIN),
    ("a mark of UTF-16 before UTF-8", "WSEC0001 not-xml", b"\xff\xfe" + VALID.encode() + b" " * (len(VALID) % 2), _PLAIN),
    ("two marks of UTF-8", "WSRC0004", b"\xef\xbb\xbf" * 2 + VALID.encode()),
    ("half a character of UTF-16", "WSEC0001 encoding", VALID.encode("utf-16") + b"\x20", _PLAIN),
    ("half a pair of UTF-16", "WSEC0001 encoding",
     value("FamilyName", "X").decode().encode("utf-16-le").replace(b"X\0", b"\x00\xd8", 1), _said("utf-16")),
    ("a byte of no character", "WSEC0001 encoding", value("FamilyName", "X").replace(b">X<", b">\xff<")),
    ("a character cut off", "WSEC0001 encoding", value("FamilyName", "X").replace(b">X<", b">\xe2\x82<")),
    ("a bracket too long", "WSEC0001 encoding", value("FamilyName", "X").replace(b">X<", b">\xc0\xbc<")),
    ("a slash too long", "WSEC0001 encoding", value("FamilyName", "X").replace(b">X<", b">\xc0\xaf<")),
    ("a NUL too long", "WSEC0001 encoding", value("FamilyName", "X").replace(b">X<", b">\xc0\x80<")),
    ("a surrogate in UTF-8", "WSEC0001 encoding", value("FamilyName", "X").replace(b">X<", b">\xed\xa0\x80<")),
    ("beyond Unicode", "WSEC0001 encoding", value("FamilyName", "X").replace(b">X<", b">\xf4\x90\x80\x80<")),
    ("a NUL in a value", "WSEC0001 illegal-character", changed("</FamilyName>", "\0</FamilyName>")),
    ("a NUL in a name", "WSEC0001 illegal-character", changed("<FamilyName>", "<Family\0Name>")),
    ("a NUL first", "WSEC0001 not-xml", b"\0" + VALID.encode()),
    ("NULs after the message", "WSEC0001 not-well-formed", VALID.encode() + bytes(100)),
    ("an escape", "WSEC0001 illegal-character", value("FamilyName", "\x1b[2J")),
    ("a reference to NUL", "WSEC0001 illegal-character", value("FamilyName", "&#0;")),
    ("a reference to a surrogate", "WSEC0001 illegal-character", value("FamilyName", "&#xD800;")),
    ("a reference beyond Unicode", "WSEC0001 illegal-character", value("FamilyName", "&#x110000;")),
    ("a reference that overflows", "WSEC0001 not-well-formed", value("FamilyName", "&#x" + "F" * 40 + ";")),
    ("U+FFFE", "WSEC0001 illegal-character", value("FamilyName", "\ufffe")),
    ("gzip, said", "415", gzip.compress(VALID.encode()), {"Content_Encoding": "gzip"}),
    ("gzip, not said", "WSEC0001 not-xml", gzip.compress(VALID.encode())),
    ("gzip said of what is not", "415", VALID.encode(), {"Content_Encoding": "gzip"}),
    ("x-gzip", "415", gzip.compress(VALID.encode()), {"Content_Encoding": "x-gzip"}),
    ("deflate", "415", _packed(zlib.MAX_WBITS), {"Content_Encoding": "deflate"}),
    ("deflate without a head", "415", _packed(-zlib.MAX_WBITS), {"Content_Encoding": "deflate"}),
    ("Brotli", "415", VALID.encode(), {"Content_Encoding": "br"}),
    ("Zstandard", "415", b"\x28\xb5\x2f\xfd" + CANARY.encode(), {"Content_Encoding": "zstd"}),
    ("gzip in gzip", "415", gzip.compress(gzip.compress(VALID.encode())), {"Content_Encoding": "gzip, gzip"}),
    ("identity and gzip", "415", gzip.compress(VALID.encode()), {"Content_Encoding": "identity, gzip"}),
    ("a gzip bomb, said", "415", lambda: gzip.compress(_ZEROS), {"Content_Encoding": "gzip"}),
    ("a gzip bomb, not said", "WSEC0001 not-xml", lambda: gzip.compress(_ZEROS)),
    ("a deflate bomb", "415", lambda: zlib.compress(_ZEROS), {"Content_Encoding": "deflate"}),
    ("identity", "WSRC0004", VALID.encode(), {"Content_Encoding": "identity"}),
    ("identity in capitals", "WSRC0004", VALID.encode(), {"Content_Encoding": "IDENTITY"}),
]  # fmt: skip
