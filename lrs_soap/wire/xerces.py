"""Says what is wrong with a request in the words of Xerces 2.x, which clients of the historic service know.

D behaviour.md, "Faults": FurtherDetails of WSEC0001 is in Xerces wording. libxml2 decides whether a request is valid;
what is wrong with it is found here, by walking the element along the contract's types in the order in which Xerces
reports, and naming the first error. libxml2's own English is not read: it names only the last of several patterns, no
expected elements in many cases, and it changes between versions.

What a caller sent appears in the message only where Xerces shows it, never an OrgPassword (see `sent`).
"""

import re

from lxml import etree

from lrs_soap import contract, xsd
from lrs_soap.wire import facets, sent

_XSI_NAMESPACE = "http://www.w3.org/2001/XMLSchema-instance"
_XSI = f"{{{_XSI_NAMESPACE}}}"
_XSI_ALLOWED = frozenset(_XSI + name for name in ("type", "nil", "schemaLocation", "noNamespaceSchemaLocation"))
_NIL = f"{_XSI_NAMESPACE},nil"  # how Xerces writes an attribute's name in these messages
_XML_NAMESPACE = "http://www.w3.org/XML/1998/namespace"

_BOOLEAN = {"true": True, "1": True, "false": False, "0": False}
_QNAME = re.compile(r"(?:([^\W\d][\w.\-]*):)?([^\W\d][\w.\-]*)")


def violation(element: etree._Element) -> str | None:
    """What is wrong with the body element `element` according to the contract, or None if it is valid."""
    schema = contract.schema()
    return None if schema.validate(element) else explain(element, schema.error_log)


def explain(element: etree._Element, error_log: etree._ListErrorLog) -> str:
    """The first error of an element that the schema refused, as Xerces words it: one line, "cvc-...: ...".

    error_log: of the schema that refused it, used only if the walk finds nothing.
    """
    shown = sent.Sent(element)
    type_ = contract.ELEMENTS.get(element.tag)
    if type_ is None:
        return f"cvc-elt.1: Cannot find the declaration of element '{shown.name(element)}'."
    error = _Walk(shown).element(element, type_, nillable=False)
    if error is None:
        kind = error_log[0].type_name if len(error_log) else "unknown"
        error = f"cvc-elt.5.2.1: The element '{shown.name(element)}' is not valid with respect to the actual type "
        error += f"definition '{type_.name}' ({kind})."
    return error


def unknown_root(qname: str) -> str:
    """The message for a body element that the contract does not declare.

    qname: the name as it stands in the message ("find:Foo") or as "{namespace}Foo".
    """
    namespace, _, local = qname.rpartition("}")
    name = f'{{"{namespace[1:]}":{local}}}' if namespace else local
    return f"cvc-elt.1: Cannot find the declaration of element '{sent.shown(name)}'."


class _Walk:
    """One walk over a message; each method gives the first error of its part, or None."""

    def __init__(self, shown: sent.Sent):
        self.shown = shown

    def element(self, element, declared: facets.Type, nillable: bool) -> str | None:
        type_, error = self._actual_type(element, declared)
        if error:
            return error
        nil, error = self._nil(element, nillable)
        return error or self._attributes(element, type_) or self._content(element, type_, nil)

    def _actual_type(self, element, declared):
        """The type that xsi:type names, or else the declared one; and the error."""
        written = element.get(_XSI + "type")
        if written is None:
            return declared, None
        name, shown = self.shown.name(element), self.shown.text(written)
        parts = _QNAME.fullmatch(written)  # like libxml2, no blanks around it
        if parts is None or (parts[1] and parts[1] not in element.nsmap):
            return None, (
                f"cvc-elt.4.1: The value '{shown}' of attribute '{_XSI_NAMESPACE},type' on element '{name}' is not a "
                "valid QName."
            )
        type_ = facets.resolve(element.nsmap.get(parts[1]), parts[2])
        if type_ is None:
            return None, f"cvc-elt.4.2: Cannot resolve '{shown}' to a type definition for element '{name}'."
        if not facets.derives(type_, declared):
            return None, (
                f"cvc-elt.4.3: Type '{shown}' is not validly derived from the type definition, '{declared.name}', "
                f"of element '{name}'."
            )
        return type_, None

    def _nil(self, element, nillable: bool):
        """Whether the element is nil; and the error."""
        written = element.get(_XSI + "nil")
        if written is None:
            return False, None
        name = self.shown.name(element)
        if not nillable:
            return False, (
                f"cvc-elt.3.1: Attribute '{_NIL}' must not appear on element '{name}', because the {{nillable}} "
                f"property of '{name}' is false."
            )
        nil = _BOOLEAN.get(written.strip(facets.BLANK))
        if nil is None:
            return False, f"cvc-datatype-valid.1.2.1: '{self.shown.text(written)}' is not a valid value for 'boolean'."
        return nil, None

    def _attributes(self, element, type_) -> str | None:
        for attribute in element.attrib:
            if attribute in _XSI_ALLOWED:
                continue
            name, shown = self.shown.name(element), self._attribute_name(element, attribute)
            if isinstance(type_, xsd.ComplexType):
                return f"cvc-complex-type.3.2.2: Attribute '{shown}' is not allowed to appear in element '{name}'."
            return (
                f"cvc-type.3.1.1: Element '{name}' is a simple type, so it cannot have attributes, excepting those "
                f"whose namespace name is identical to '{_XSI_NAMESPACE}' and whose [local name] is one of 'type', "
                f"'nil', 'schemaLocation' or 'noNamespaceSchemaLocation'. However, the attribute, '{shown}' was found."
            )
        return None

    def _attribute_name(self, element, attribute: str) -> str:
        namespace, _, local = attribute.rpartition("}")
        prefixes = {_XML_NAMESPACE: "xml"} | {uri: prefix for prefix, uri in element.nsmap.items() if prefix}
        return self.shown.text(f"{prefixes[namespace[1:]]}:{local}" if namespace else local)

    def _content(self, element, type_, nil: bool) -> str | None:
        text = (element.text or "") + "".join(child.tail or "" for child in element)
        if nil:
            if len(element) or text:
                name = self.shown.name(element)
                return (
                    f"cvc-elt.3.2.1: Element '{name}' must have no character or element information [children], "
                    f"because '{_NIL}' is specified."
                )
            return None
        if isinstance(type_, xsd.ComplexType):
            return self._children(element, type_, text)
        if len(element):
            name = self.shown.name(element)
            return (
                f"cvc-type.3.1.2: Element '{name}' is a simple type, so it must have no element information item "
                "[children]."
            )
        return facets.value_error(text, type_, self.shown.value(element, text))

    def _children(self, element, type_, text: str) -> str | None:
        index, count = 0, 0
        for child in element.iterchildren(etree.Element):
            place = _place(type_.fields, index, count, child.tag)
            if place is None:
                return self._unexpected(child, type_.fields, index, count)
            index, count = place
            field = type_.fields[index]
            error = self.element(child, field.simple or field.complex, field.nillable)
            if error:
                return error
        if text.strip(facets.BLANK):
            return (
                f"cvc-complex-type.2.3: Element '{self.shown.name(element)}' cannot have character [children], because "
                "the type's content type is element-only."
            )
        names, complete = _expected(type_.fields, index, count)
        if complete:
            return None
        return (
            f"cvc-complex-type.2.4.b: The content of element '{self.shown.name(element)}' is not complete. "
            f"One of '{{{', '.join(names)}}}' is expected."
        )

    def _unexpected(self, child, fields, index: int, count: int) -> str:
        names, _ = _expected(fields, index, count)
        found = f"Invalid content was found starting with element '{self.shown.name(child)}'."
        if names:
            return f"cvc-complex-type.2.4.a: {found} One of '{{{', '.join(names)}}}' is expected."
        return f"cvc-complex-type.2.4.d: {found} No child element is expected at this point."


def _place(fields, index: int, count: int, tag: str) -> tuple[int, int] | None:
    """Where in the sequence an element `tag` stands if it follows `count` elements of fields[index]: the same pair."""
    for here in range(index, len(fields)):
        field, seen = fields[here], count if here == index else 0
        if tag == field.name and (field.max_occurs is None or seen < field.max_occurs):
            return here, seen + 1
        if seen < field.min_occurs:
            return None
    return None


def _expected(fields, index: int, count: int) -> tuple[list[str], bool]:
    """What may follow `count` elements of fields[index], and whether the sequence may end there."""
    names = []
    for here in range(index, len(fields)):
        field, seen = fields[here], count if here == index else 0
        if field.max_occurs is None or seen < field.max_occurs:
            names.append(field.name)
        if seen < field.min_occurs:
            return names, False
    return names, True
