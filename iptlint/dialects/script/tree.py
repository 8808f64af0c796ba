"""The syntax tree of a shell script: what of it decides which commands are carried out.

``start <= i < end`` are offsets into the text. A word keeps its quotes as a property of its
parts, since they decide where the shell splits it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypedDict

from iptlint.dialects.diagnostics import SyntaxDiagnostic
from iptlint.source import SourceFile


class Place(TypedDict):
    """The keywords of a node that say where it is."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Node:
    start: int = field(kw_only=True)
    end: int = field(kw_only=True)


# -- words ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Text(Node):
    text: str
    quoted: bool = False


@dataclass(frozen=True, slots=True)
class Parameter(Node):
    """``$name``, ``${name[index]operator argument}``; ``prefix`` is ``#`` or ``!`` before it."""

    name: str
    quoted: bool = False
    index: str | None = None
    operator: str = ""
    argument: Word | None = None
    prefix: str = ""


@dataclass(frozen=True, slots=True)
class Substitution(Node):
    """``$(…)`` and backticks."""

    body: tuple[Statement, ...]
    quoted: bool = False


@dataclass(frozen=True, slots=True)
class Printed(Node):
    """``<(…)``: the name of a file that holds what the commands print."""

    body: tuple[Statement, ...]
    quoted: bool = False


@dataclass(frozen=True, slots=True)
class Arithmetic(Node):
    """``$((…))``, its expression as text."""

    text: str
    quoted: bool = False


@dataclass(frozen=True, slots=True)
class Opaque(Node):
    """A part of a word that nothing is known of (``>(…)``)."""

    quoted: bool = False


Part = Text | Parameter | Substitution | Printed | Arithmetic | Opaque


@dataclass(frozen=True, slots=True)
class Word(Node):
    parts: tuple[Part, ...]


# -- statements ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Assignment(Node):
    """``name=value``; ``items`` where it is an array. ``index``: one element of an array."""

    name: str
    value: Word | None
    items: tuple[Word, ...] | None = None
    append: bool = False
    index: str | None = None


@dataclass(frozen=True, slots=True)
class Redirect(Node):
    """``operator`` is ``<``, ``>``, ``<<`` …; ``target`` the word behind it, or what a here
    document holds."""

    operator: str
    target: Word | None
    descriptor: str = ""


@dataclass(frozen=True, slots=True)
class Command(Node):
    """``keyword``: export, local, declare … before assignments."""

    assignments: tuple[Assignment, ...]
    words: tuple[Word, ...]
    redirects: tuple[Redirect, ...] = ()
    keyword: str = ""


@dataclass(frozen=True, slots=True)
class Test(Node):
    """``[ … ]``, or with ``double`` ``[[ … ]]``: its words, operators among them."""

    words: tuple[Word, ...]
    double: bool = False


@dataclass(frozen=True, slots=True)
class Calculation(Node):
    """``((…))`` as a command."""

    text: str


@dataclass(frozen=True, slots=True)
class Pipeline(Node):
    members: tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class Negated(Node):
    body: Statement


@dataclass(frozen=True, slots=True)
class Listing(Node):
    """``first && … || …``."""

    first: Statement
    rest: tuple[tuple[str, Statement], ...]


@dataclass(frozen=True, slots=True)
class Branch(Node):
    condition: tuple[Statement, ...]
    body: tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class If(Node):
    branches: tuple[Branch, ...]
    otherwise: tuple[Statement, ...] | None


@dataclass(frozen=True, slots=True)
class CaseItem(Node):
    """``falls``: goes on with the body of the next one (``;&``); ``asks_on``: with the next one
    that fits (``;;&``)."""

    patterns: tuple[Word, ...]
    body: tuple[Statement, ...]
    falls: bool = False
    asks_on: bool = False


@dataclass(frozen=True, slots=True)
class Case(Node):
    subject: Word
    items: tuple[CaseItem, ...]


@dataclass(frozen=True, slots=True)
class For(Node):
    """``words`` is None where it goes over the arguments."""

    name: str
    words: tuple[Word, ...] | None
    body: tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class CountingFor(Node):
    initial: str
    condition: str
    update: str
    body: tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class While(Node):
    condition: tuple[Statement, ...]
    body: tuple[Statement, ...]
    until: bool = False


@dataclass(frozen=True, slots=True)
class Function(Node):
    name: str
    body: Statement


@dataclass(frozen=True, slots=True)
class Group(Node):
    """``{ … }``; with ``subshell``, ``( … )``."""

    body: tuple[Statement, ...]
    subshell: bool = False


@dataclass(frozen=True, slots=True)
class Redirected(Node):
    """A statement that is no plain command, with its redirections."""

    body: Statement
    redirects: tuple[Redirect, ...]


@dataclass(frozen=True, slots=True)
class Background(Node):
    body: Statement


@dataclass(frozen=True, slots=True)
class Salvaged(Node):
    """Statements out of text that the grammar could not read as a whole: what is around them, a
    loop or a condition, is not known."""

    body: tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class Unread(Node):
    """What the shell's grammar has no place for."""


Statement = (
    Command
    | Assignment
    | Test
    | Calculation
    | Pipeline
    | Negated
    | Listing
    | If
    | Case
    | For
    | CountingFor
    | While
    | Function
    | Group
    | Redirected
    | Background
    | Salvaged
    | Unread
)


@dataclass(frozen=True, slots=True, eq=False)
class ScriptFile:
    source: SourceFile
    statements: tuple[Statement, ...]
    diagnostics: tuple[SyntaxDiagnostic, ...]


def end_of(file: ScriptFile) -> int:
    """Where an ``exit`` stands that is always carried out; else the end of the text."""
    for statement in file.statements:
        match statement:
            case Command(words=(Word(parts=(Text(text="exit"),)), *_)):
                return statement.start
    return len(file.source.text)
