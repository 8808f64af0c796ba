"""What a tool refuses, and what becomes of the rest of the file."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from iptlint.source import Edit, SourceFile, Span


class Stage(Enum):
    """When a tool refuses. What it refuses at one stage hides all of the later ones."""

    READING = "reading"
    EVALUATION = "evaluation"
    KERNEL = "kernel"


@dataclass(frozen=True, slots=True)
class Check:
    """A row of a table of checks: one thing that the tool or the kernel looks at.

    ``says``: the tool's own words, for who searches for them. ``decided``: the file, and the
    function where there is one, that decides it. ``linted``: lint rules tell of it, and say more.
    ``alone``: it is no fault of a file that another one includes.
    """

    name: str
    stage: Stage
    says: str
    decided: str
    linted: bool = False
    alone: bool = False


@dataclass(frozen=True, slots=True)
class Refusal:
    """``span``: the token that is refused; ``cause`` and ``mend`` say what the tool does not.

    ``missing``: something has to be there first, which another host may have; ``made_later``: the
    file makes it itself, though only below. ``variant``: the
    only variant of the tool that refuses it; all of them where it is empty. ``edits``: what
    ``mend`` says, done to the text; empty where there are several answers.
    """

    span: Span
    check: Check
    cause: str
    mend: str
    missing: bool = False
    variant: str = ""
    edits: tuple[Edit, ...] = ()
    made_later: bool = False


@dataclass(frozen=True, slots=True)
class Carried:
    """A part of the file that was carried out before the first refusal, as a table that
    iptables-restore has committed."""

    span: Span
    name: str


@dataclass(frozen=True, slots=True)
class Load:
    """What a tool does with a file. ``refusals`` are in the tool's order: it stops at the first,
    or tells those of one stage, and the others are hidden until that is mended. ``changes``: what
    it takes and makes something else of. ``atomic``: it carries out all of a file or nothing."""

    source: SourceFile
    tool: str
    refusals: tuple[Refusal, ...] = ()
    changes: tuple[Refusal, ...] = ()
    carried: tuple[Carried, ...] = ()
    atomic: bool = True

    @property
    def taken(self) -> bool:
        return not self.refusals


def in_order(refusals: Iterable[Refusal]) -> tuple[Refusal, ...]:
    """By stage; of what is refused while a text is read, by where it stands, else as found."""
    return tuple(sorted(refusals, key=_order))


def _order(refusal: Refusal) -> tuple[int, int]:
    stage = list(Stage).index(refusal.check.stage)
    return stage, refusal.span.start if refusal.check.stage is Stage.READING else 0
