"""What is wrong with the lines of an ipset file, as problems with their place."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from iptlint.dialects.ipset.tree import CommandLine, SyntaxProblem
from iptlint.dialects.iptables.extensions.row import BadValue
from iptlint.dialects.problem import Problem
from iptlint.source import SourceFile

_STOPS = "`ipset restore` stops at this line, and nothing after it is loaded"


class Complaints:
    def __init__(self, source: SourceFile) -> None:
        self.source = source
        self.problems: list[Problem] = []

    def syntax(self, problem: SyntaxProblem) -> None:
        advice = problem.hint or f"expected {problem.expected}"
        self._add("IPT001", problem.start, problem.end, problem.message, advice)

    def value(self, line: CommandLine, index: int, bad: BadValue) -> None:
        """A word that does not fit, or that the kernel refuses."""
        code = "IPT006" if bad.refused else "IPT001"
        word = line.words[index] if index < len(line.words) else ""
        found = f"`{word}` is not that" if word else "there is nothing"
        self.at(line, index, code, f"ipset wants {bad} here, and {found}")

    def unknown(self, line: CommandLine, index: int, what: str, known: Iterable[str]) -> None:
        word = line.words[index]
        names = [*known]
        near = difflib.get_close_matches(word, names, n=1)
        meant = f"did you mean {near[0]}?" if near else f"expected {', '.join(names)}"
        self.at(line, index, "IPT001", f"there is no {what} `{word}`", meant)

    def at(self, line: CommandLine, index: int, code: str, message: str, help: str = "") -> None:
        span = line.word_span(self.source, index)
        start = span.start if span.end > span.start else line.start
        self._add(code, start, max(span.end, start), message, help or _STOPS)

    def _add(self, code: str, start: int, end: int, message: str, help: str) -> None:
        self.problems.append(Problem(code, "error", start, end, message, help, self.source))
