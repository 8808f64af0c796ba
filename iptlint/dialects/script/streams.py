"""What commands hand each other: texts that know where in the script they come from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from iptlint.dialects.script.generated_text import Conditions, TextPart
from iptlint.dialects.script.symbolic_text import is_known
from iptlint.source import Span


@dataclass(slots=True)
class Output:
    """What is printed where somebody reads it. ``under``: what holds for whoever reads it."""

    under: Conditions
    parts: list[TextPart] = field(default_factory=list)

    def write(self, text: str, span: Span, conditions: Conditions) -> None:
        if text:
            self._add(TextPart(text, span), conditions)

    def pass_on(self, parts: Iterable[TextPart], conditions: Conditions) -> None:
        """What somebody else printed."""
        for part in parts:
            self._add(part, (*part.conditions, *conditions))

    def _add(self, part: TextPart, conditions: Conditions) -> None:
        further = tuple(each for each in conditions if each not in self.under)
        self.parts.append(part._replace(conditions=further))

    @property
    def text(self) -> str:
        return "".join(part.text for part in self.parts)

    @property
    def is_sure(self) -> bool:
        return not any(part.conditions for part in self.parts)


@dataclass(slots=True)
class Input:
    """What a command reads."""

    parts: tuple[TextPart, ...]
    _lines: list[str] | None = None
    _at: int = 0

    @property
    def text(self) -> str:
        return "".join(part.text for part in self.parts)

    @property
    def is_known(self) -> bool:
        return is_known(self.text) and not any(part.conditions for part in self.parts)

    def rest(self) -> str:
        """All that is left."""
        lines = []
        while (line := self.line()) is not None:
            lines.append(line)
        return "".join(f"{line}\n" for line in lines)

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
