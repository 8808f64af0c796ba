"""What commands hand each other: texts that know where in the script they come from."""

from __future__ import annotations

from dataclasses import dataclass, field

from iptlint.dialects.script.symbolic_text import is_known
from iptlint.source import Span

TextPart = tuple[str, Span, bool]
"""Text, where it was written, and whether it stands there as it is."""


@dataclass(slots=True)
class Output:
    """What is printed where somebody reads it."""

    parts: list[TextPart] = field(default_factory=list)

    def write(self, text: str, span: Span) -> None:
        if text:
            self.parts.append((text, span, False))

    @property
    def text(self) -> str:
        return "".join(text for text, _, _ in self.parts)


@dataclass(slots=True)
class Input:
    """What a command reads."""

    parts: tuple[TextPart, ...]
    _lines: list[str] | None = None
    _at: int = 0

    @property
    def text(self) -> str:
        return "".join(text for text, _, _ in self.parts)

    @property
    def is_known(self) -> bool:
        return is_known(self.text)

    def line(self) -> str | None:
        """The next line; None where there is none left."""
        if self._lines is None:
            self._lines = self.text.split("\n")
            if not self._lines[-1]:
                self._lines.pop()
        if self._at >= len(self._lines):
            return None
        self._at += 1
        return self._lines[self._at - 1]
