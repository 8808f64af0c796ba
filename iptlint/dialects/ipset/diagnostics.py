"""What is wrong with the lines of an ipset file, as diagnostics with their place."""

from __future__ import annotations

from collections.abc import Iterable

from iptlint.dialects.diagnostics import Diagnostic, InvalidValueError, SyntaxDiagnostic
from iptlint.dialects.ipset.tree import CommandLine
from iptlint.model.near_words import nearest
from iptlint.source import SourceFile

_STOPS = "`ipset restore` stops at this line, and nothing after it is loaded"


class IpsetDiagnostics:
    """Collects what is wrong with one file."""

    def __init__(self, source: SourceFile) -> None:
        self.source = source
        self._diagnostics: list[Diagnostic] = []

    def sorted(self) -> list[Diagnostic]:
        return sorted(self._diagnostics, key=lambda diagnostic: diagnostic.start)

    def syntax(self, diagnostic: SyntaxDiagnostic) -> None:
        advice = diagnostic.hint or f"expected {diagnostic.expected}"
        self._add("IPT001", diagnostic.start, diagnostic.end, diagnostic.message, advice)

    def value(self, line: CommandLine, index: int, error: InvalidValueError) -> None:
        """A word that does not fit, or that the kernel refuses."""
        code = "IPT006" if error.refused else "IPT001"
        word = line.words[index] if index < len(line.words) else ""
        instead = f"`{word}` is not that" if word else "there is nothing"
        self.at(line, index, code, f"ipset wants {error} here, and {instead}")

    def unknown(self, line: CommandLine, index: int, what: str, known: Iterable[str]) -> None:
        word = line.words[index]
        names = [*known]
        near = nearest(word, names)
        meant = f"did you mean {near}?" if near else f"expected {', '.join(names)}"
        self.at(line, index, "IPT001", f"there is no {what} `{word}`", meant)

    def at(self, line: CommandLine, index: int, code: str, message: str, help: str = "") -> None:
        span = line.word_span(self.source, index)
        start = span.start if span.end > span.start else line.start
        self._add(code, start, max(span.end, start), message, help or _STOPS)

    def _add(self, code: str, start: int, end: int, message: str, help: str) -> None:
        self._diagnostics.append(Diagnostic(code, "error", start, end, message, help, self.source))
