"""Small edits of a text, such as a tired hand makes, and what comes of them.

An edit names the line it is about by its text (without indentation), and fails if the text does
not hold that line exactly once: the fixtures are edited too, and a fault that is no longer
introduced must not look like one that is no longer found.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from iptlint.analysis.session import Settings
from iptlint.linter import run
from iptlint.rules.registry import Profile
from iptlint.source import SourceFile
from tests.expectations import FIXTURES, files_of


class NotThereError(ValueError):
    """The line that an edit names is not there, or not once."""


@dataclass(frozen=True, slots=True)
class Replace:
    """``old`` becomes ``new``, which may be several lines."""

    old: str
    new: str

    def of(self, lines: list[str]) -> list[str]:
        at = _where(lines, self.old)
        return [*lines[:at], *_indented(self.new, lines[at]), *lines[at + 1 :]]


@dataclass(frozen=True, slots=True)
class Delete:
    line: str

    def of(self, lines: list[str]) -> list[str]:
        at = _where(lines, self.line)
        return [*lines[:at], *lines[at + 1 :]]


@dataclass(frozen=True, slots=True)
class InsertAfter:
    """``new``, one line or several, stands behind ``line``."""

    line: str
    new: str

    def of(self, lines: list[str]) -> list[str]:
        at = _where(lines, self.line) + 1
        return [*lines[:at], *_indented(self.new, lines[at - 1]), *lines[at:]]


@dataclass(frozen=True, slots=True)
class Swap:
    """Each of two lines stands where the other stood."""

    first: str
    second: str

    def of(self, lines: list[str]) -> list[str]:
        first, second = _where(lines, self.first), _where(lines, self.second)
        swapped = [*lines]
        swapped[first], swapped[second] = lines[second], lines[first]
        return swapped


Edit = Replace | Delete | InsertAfter | Swap


def _where(lines: list[str], wanted: str) -> int:
    found = [number for number, line in enumerate(lines) if line.strip() == wanted]
    if len(found) != 1:
        raise NotThereError(f"this line is there {len(found)} times: {wanted}")
    return found[0]


def _indented(new: str, like: str) -> list[str]:
    indentation = like[: len(like) - len(like.lstrip())]
    return [indentation + line for line in new.split("\n")]


DEFAULTS = Settings()


@dataclass(frozen=True, slots=True)
class Mutation:
    """``edit`` of the file ``base`` (under ``fixtures/``) commits the fault of ``code``.

    ``times``: how often it is found. ``also``: what else this one edit does, each a fault of its
    own; ``gone``: what is no longer said. Where either is given, ``why`` says the reason.
    """

    code: str
    base: str
    edit: Edit
    times: int = 1
    also: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    why: str = ""
    strict: bool = False
    settings: Settings = DEFAULTS


Findings = Counter[str]
"""How often each code is found."""


def difference(mutation: Mutation) -> tuple[Findings, Findings]:
    """What is found after the edit and was not before, and the other way round."""
    file = FIXTURES / mutation.base
    before = _found(file, None, mutation.strict, mutation.settings)
    after = _found(file, mutation.edit, mutation.strict, mutation.settings)
    return after - before, before - after


def wanted(mutation: Mutation) -> tuple[Findings, Findings]:
    return Counter({mutation.code: mutation.times}) + Counter(mutation.also), Counter(mutation.gone)


@cache
def _found(file: Path, edit: Edit | None, strict: bool, settings: Settings) -> Findings:
    profile = Profile.STRICT if strict else Profile.DEFAULT
    sources = [_source(path, edit if path == file else None) for path in _together(file)]
    report = run.lint(sources, settings, profile=profile)
    assert not report.crashed
    return Counter(finding.code for finding in report.each)


def _together(file: Path) -> Sequence[Path]:
    """A file is linted with what stands in its folder, unless that is the folder of a rule."""
    alone = file.parent.parent == FIXTURES / "rules"
    return [file] if alone else files_of(file.parent)


def _source(file: Path, edit: Edit | None) -> SourceFile:
    text = file.read_text("utf-8")
    if edit is not None:
        text = "\n".join(edit.of(text.split("\n")))
    return SourceFile(file.name, text)
