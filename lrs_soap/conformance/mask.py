"""What may be shown of requests and replies: everything but an OrgPassword, wherever it stands and however written."""

import html
import re
from collections.abc import Iterable
from urllib.parse import urlsplit, urlunsplit

from lrs_soap.conformance import wire

MASK = "*" * 16
MAX_SHOWN = 8000
_ELEMENT = re.compile(r"(<(?:[\w.-]+:)?OrgPassword\b[^<>]*(?<!/)>)(.*?)(</(?:[\w.-]+:)?OrgPassword\s*>)", re.DOTALL)
# As a value in what a reply says about another: Xerces quotes what it did not like.
_SHORTEST = 6


def decoded(data: bytes) -> str:
    """A message as text, whatever its encoding."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace")
    if b"\0" in data[:2]:
        return data.decode("utf-16-be" if data[:1] == b"\0" else "utf-16-le", "replace")
    return data.decode("utf-8", "replace")


class Masker:
    """Hides the passwords given, and every OrgPassword of the exchange itself."""

    def __init__(self, secrets: Iterable[str]):
        self._secrets = {secret for secret in secrets if secret}

    def text(self, text: str, more: Iterable[str] = ()) -> str:
        """`text` without any of the passwords, of those given and of `more`."""
        text = _ELEMENT.sub(lambda found: found[1] + MASK + found[3], text)
        for secret in sorted(self._secrets | set(more), key=len, reverse=True):
            for written in {secret, html.escape(secret), html.escape(secret, quote=False), secret.replace("&", "&#38;")}:
                text = text.replace(written, MASK)
        return text

    def messages(self, exchange: wire.Exchange) -> tuple[str, str]:
        """Request and reply of an exchange as they may be shown, cut off where they are very long."""
        sent = decoded(exchange.sent)
        own = {html.unescape(found[2]).strip() for found in _ELEMENT.finditer(sent)}
        own = {text for text in own if len(text) >= _SHORTEST}
        return _cut(self.text(sent, own)), _cut(self.text(decoded(exchange.body), own))

    def url(self, url: str) -> str:
        """A URL without user name and password."""
        parts = urlsplit(url)
        return self.text(urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2])))


def _cut(text: str) -> str:
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}\n[... {len(text) - MAX_SHOWN} more characters]"
