"""XML of elements, attributes and text, written by hand: nothing in it can be markup."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from xml.sax.saxutils import escape, quoteattr

from iptlint.reports.safe import visible


@dataclass(frozen=True, slots=True)
class Element:
    """``text`` may have several lines, which are kept."""

    name: str
    attributes: Mapping[str, str | int] = field(default_factory=dict)
    children: tuple[Element, ...] = ()
    text: str = ""


def document(root: Element) -> str:
    """With what XML 1.0 has no character for in a visible form."""
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + "".join(
        f"{line}\n" for line in _lines(root)
    )


def _lines(element: Element, indent: str = "") -> Iterator[str]:
    listed = "".join(
        f" {name}={quoteattr(visible(str(value)))}" for name, value in element.attributes.items()
    )
    start, end = f"{indent}<{element.name}{listed}", f"</{element.name}>"
    if element.children:
        yield f"{start}>"
        for child in element.children:
            yield from _lines(child, f"{indent}  ")
        yield f"{indent}{end}"
    elif element.text:
        text = "\n".join(map(visible, element.text.split("\n")))
        yield f"{start}>{escape(text)}{end}"
    else:
        yield f"{start}/>"
