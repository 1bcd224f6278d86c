"""What a caller sent, made fit to be shown in a fault: on one line, of bounded length, and never an OrgPassword."""

import re

from lxml import etree

from lrs_soap import contract

MASK = "*" * 16  # P: stands for an OrgPassword, whatever its length
MAX_SHOWN = 128  # P: characters of one value or name
PASSWORD_LENGTH = contract.SIMPLE_TYPES["MIAPOrgPassword"].max_length
SHORTEST_SECRET = 4  # P: a shorter text is no password, and masking what contains it would hide the message

# Control characters, line ends, marks that turn the direction of writing, and what XML cannot carry.
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")


def shown(text: str) -> str:
    """`text` on one line and of at most MAX_SHOWN characters."""
    text = text if len(text) <= MAX_SHOWN else text[: MAX_SHOWN - 3] + "..."
    return _UNPRINTABLE.sub(" ", text)


class Sent:
    """The values and names of one message as they may be shown.

    P: whatever contains the text of any OrgPassword element of the message is masked, because a client that mixes up
    its fields puts the password into a value or a name that would be shown. If no OrgPassword of the message has a
    password's length, it may have changed places with another value, so any value of that length is masked.
    """

    def __init__(self, element: etree._Element):
        texts = {text.strip() for found in element.getroottree().iter("{*}OrgPassword") for text in found.itertext()}
        self._secrets = [text for text in texts if len(text) >= SHORTEST_SECRET]
        self._astray = all(len(text) != PASSWORD_LENGTH for text in texts)

    def text(self, text: str) -> str:
        """A value or an attribute's name."""
        return MASK if any(secret in text for secret in self._secrets) else shown(text)

    def value(self, element: etree._Element, text: str) -> str:
        """The value of an element, `text`."""
        secret = etree.QName(element).localname == "OrgPassword"
        return MASK if secret or (self._astray and len(text.strip()) == PASSWORD_LENGTH) else self.text(text)

    def name(self, element: etree._Element) -> str:
        """The raw name of an element: with its prefix, or (as Xerces 2.12) with its namespace if it has no prefix."""
        qname = etree.QName(element)
        if element.prefix:
            return self.text(f"{element.prefix}:{qname.localname}")
        return self.text(f'{{"{qname.namespace}":{qname.localname}}}' if qname.namespace else qname.localname)
