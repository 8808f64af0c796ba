"""What is wrong with a text, seen while it is read."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from iptlint.source import Edit, SourceFile


class Fate(Enum):
    """What a tool makes of text that is wrong."""

    REFUSED = auto()
    AT_COMMIT = auto()  # the tool reads it, and the kernel refuses the table
    MISSING = auto()  # refused where something is not there, which another host may have
    CHANGED = auto()  # taken, as something else


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """A finding in the making: ``code`` and ``severity`` are words of the catalogue.

    ``start`` and ``end`` are offsets into the source, half-open. ``variant``: the only variant of
    the tool that it is so with, `legacy` or `nft` for iptables; all of them where it is empty.
    ``edits``: what ``help`` says, done to the text; empty where there are several answers.
    """

    code: str
    severity: str
    start: int
    end: int
    message: str
    help: str = ""
    source: SourceFile | None = None
    """The included file it is in; None: the file that was read."""
    fate: Fate = Fate.REFUSED
    variant: str = ""
    edits: tuple[Edit, ...] = ()
    says: str = ""
    """The tool's own words, where they are not those of its kind."""
    alone: bool = False
    """It is no fault of a file that another one includes."""


def at_first_line(
    source: SourceFile, code: str, severity: str, message: str, help: str
) -> Diagnostic:
    """What is said of the whole text."""
    return Diagnostic(code, severity, 0, source.line_span(1).end, message, help)


@dataclass(frozen=True, slots=True)
class SyntaxDiagnostic:
    """Text that the tool would not read; the statement it stands in is not in the tree.

    ``message`` is a sentence; ``expected`` says what could stand there; ``hint`` is a second
    sentence, what was probably meant. ``code``: IPT001 for what is not of the language, or leads
    to no file; IPT010 for what is nested too deeply to be read. ``hides_text``: any amount of
    text behind it was not read.
    """

    source: SourceFile
    start: int
    end: int
    message: str
    expected: str = ""
    hint: str | None = None
    code: str = "IPT001"
    hides_text: bool = False
    fate: Fate = Fate.REFUSED
    set: str | None = None
    """The ipset that the line was about, if it got that far."""
    edits: tuple[Edit, ...] = ()
    """What ``hint`` says, done to the text."""
    drops_line: bool = False
    """The shell gives up here, so no tool is asked for any command of the line."""


class InvalidValueError(ValueError):
    """An argument that does not fit: the text says what was expected.

    ``refused``: it is well formed, yet the tool or the kernel refuses or changes it (IPT006);
    otherwise it is a syntax error (IPT001). ``never``: the kernel takes it as a test that never
    matches, so the rule is kept; ``becomes``: the value that the tool takes it for.
    """

    def __init__(
        self,
        expected: str,
        *,
        refused: bool = False,
        never: bool = False,
        becomes: object | None = None,
        fate: Fate = Fate.REFUSED,
        variant: str = "",
    ) -> None:
        super().__init__(expected)
        self.changed = never or becomes is not None
        self.refused = refused or self.changed or fate is not Fate.REFUSED or bool(variant)
        self.never = never
        self.becomes = becomes
        self.fate = Fate.CHANGED if self.changed else fate
        self.variant = variant
