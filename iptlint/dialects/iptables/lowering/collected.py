"""Where the diagnostics of one source are collected."""

from __future__ import annotations

from iptlint.dialects.diagnostics import Diagnostic, Fate, SyntaxDiagnostic
from iptlint.dialects.iptables.lowering.tables import OpenTable
from iptlint.dialects.iptables.parsing.tree import CommandLine, SaveFile, WordPlace
from iptlint.source import SourceFile, Span

SYNTAX, UNKNOWN, REFUSED = "IPT001", "IPT002", "IPT006"


class Collected:
    """Collects the diagnostics of one source."""

    def __init__(self, source: SourceFile, tree: SaveFile) -> None:
        self.source = source
        self.tree = tree
        self._diagnostics: list[Diagnostic] = [
            _syntax(diagnostic) for diagnostic in tree.diagnostics
        ]
        self.undeclared: set[tuple[OpenTable, str]] = set()

    def sorted(self) -> tuple[Diagnostic, ...]:
        return tuple(
            sorted(self._diagnostics, key=lambda diagnostic: (diagnostic.start, diagnostic.code))
        )

    def _add(
        self,
        code: str,
        start: int,
        end: int,
        message: str,
        help: str = "",
        grade: str = "error",
        fate: Fate = Fate.REFUSED,
        variant: str = "",
    ) -> None:
        """What only one variant of the tool refuses is a warning."""
        grade = "warning" if variant else grade
        self._diagnostics.append(
            Diagnostic(code, grade, start, end, message, help, fate=fate, variant=variant)
        )

    def _at(
        self, span: Span, code: str, message: str, help: str = "", fate: Fate = Fate.REFUSED
    ) -> None:
        self._add(code, span.start, span.end, message, help, fate=fate)

    def _fragment(
        self, line: CommandLine, place: WordPlace, message: str, advice: str, variant: str = ""
    ) -> None:
        """Wrong in a whole file; right in one that is loaded on top of what is there."""
        span = line.place_span(self.source, place)
        more = f"{advice}; or load the file with --noflush, on top of what is there"
        self._add(REFUSED, span.start, span.end, message, more, "warning", Fate.MISSING, variant)


def _syntax(diagnostic: SyntaxDiagnostic) -> Diagnostic:
    changed = diagnostic.fate is Fate.CHANGED
    return Diagnostic(
        REFUSED if changed else SYNTAX,
        "warning" if changed else "error",
        diagnostic.start,
        diagnostic.end,
        diagnostic.message,
        diagnostic.hint or "",
        fate=diagnostic.fate,
        edits=diagnostic.edits,
    )
