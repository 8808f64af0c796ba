"""Commands that a tool refuses because a variable in them has no value.

The tool reads the next word in the place of the one that is left out, and what it says is of that.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product

from iptlint.dialects.diagnostics import Diagnostic
from iptlint.dialects.script.generated_text import TextPart
from iptlint.dialects.script.symbolic_text import WHOLE, mark
from iptlint.source import Span

_VARIABLE = re.compile(r"\"?\$(?:(\w+)|\{(\w+)\})\"?")

VALUES = ("x", "22", "accept")
"""What stands where a tool wants a name, a number or a verdict."""


@dataclass(frozen=True, slots=True)
class Emptied:
    """``empty``: where a command names such variables; ``filled``: its words as if nobody knew
    what their values are."""

    empty: tuple[Span, ...]
    filled: tuple[tuple[str, Span], ...]
    command: Span

    @property
    def words(self) -> tuple[str, ...]:
        return tuple(word for word, _ in self.filled)

    @property
    def spans(self) -> tuple[Span, ...]:
        return tuple(span for _, span in self.filled)

    def with_values(self) -> Iterator[tuple[str, ...]]:
        """A few variables may want values unlike each other."""
        for value in VALUES:
            yield tuple(WHOLE.sub(value, word) for word in self.words)
        marks = [mark(f"${name}") for name in self.names()]
        if 1 < len(marks) <= _MOST_UNLIKE:
            for values in product(VALUES, repeat=len(marks)):
                given = dict(zip(marks, values, strict=True))
                yield tuple(_given(word, given) for word in self.words)

    def names(self) -> list[str]:
        return _names(self.empty)

    def left_empty(self, name: str) -> Emptied:
        """As where this variable has no value all the same."""
        empty = tuple(span for span in self.empty if _names((span,)) != [name])
        left = ((word.replace(mark(f"${name}"), ""), span) for word, span in self.filled)
        return replace(self, empty=empty, filled=tuple(pair for pair in left if pair[0]))

    def needed(self, is_read: Callable[[Emptied], bool]) -> Emptied | None:
        """Those without which the tool does not read the command, for others may be empty on
        purpose; None where it never does."""
        tried = (self, *map(self.left_empty, self.names()))
        needed = next((each for each in tried if each.empty and is_read(each)), None)
        for name in needed.names() if needed else ():
            fewer = needed.left_empty(name) if needed else None
            needed = fewer if fewer and fewer.empty and is_read(fewer) else needed
        return needed

    def since(self, start: int) -> Emptied | None:
        """Of the words from there on; None where they name none."""
        empty = tuple(span for span in self.empty if span.start >= start)
        filled = tuple(pair for pair in self.filled if pair[1].start >= start)
        return replace(self, empty=empty, filled=filled) if empty else None

    def told(self, diagnostics: Iterable[Diagnostic]) -> Iterator[Diagnostic]:
        """One instead of what the tool says of each word."""
        told = False
        for diagnostic in diagnostics:
            if diagnostic.code != "IPT001":
                yield diagnostic
            elif not told:
                told = True
                yield refusal(self.empty, diagnostic, self.command)


_MOST_UNLIKE = 3


def _given(word: str, values: dict[str, str]) -> str:
    for unknown, value in values.items():
        word = word.replace(unknown, value)
    return WHOLE.sub(VALUES[0], word)


def filled_text(parts: Iterable[TextPart]) -> str:
    """The text as if nobody knew the values that it lacks; empty where it lacks none."""
    parts = tuple(parts)
    texts = [part.text or _unknown(part.span) for part in parts]
    return "".join(texts) if texts != [part.text for part in parts] else ""


def _unknown(span: Span) -> str:
    return "".join(mark(f"${name}") for name in _names((span,)))


def refusal(empty: Sequence[Span], diagnostic: Diagnostic, place: Span) -> Diagnostic:
    names = [f"${name}" for name in _names(empty)]
    verb = "has" if len(names) == 1 else "have"
    return replace(
        diagnostic,
        start=place.start,
        end=place.end,
        message=f"{' and '.join(names)} {verb} no value here, as far as iptlint followed the "
        "script: without one this is refused",
        help="give such variables their values before, or leave out what needs one",
        source=place.source,
        edits=(),
        says="",
    )


def _names(spans: Iterable[Span]) -> list[str]:
    matches = (_VARIABLE.fullmatch(span.text) for span in spans)
    return list(dict.fromkeys(match[1] or match[2] for match in matches if match))
