"""Text to model: ``read`` finds out the language and lowers the text to a ruleset."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from iptlint.dialects.decode import MAX_BYTES
from iptlint.dialects.detect import EMPTY, IPSET_SAVE, NFT, NFT_JSON, SCRIPT, Language, detect
from iptlint.dialects.files import Files, LocalFiles
from iptlint.dialects.problem import Problem
from iptlint.model import AnyOf, Family, Match, Opaque, Ruleset
from iptlint.source import SourceFile

if TYPE_CHECKING:
    from iptlint.dialects.ipset.tree import IpsetFile
    from iptlint.dialects.nft.tree import NftFile, SyntaxProblem

__all__ = ["Problem", "Reader", "Reading", "read"]


@dataclass(frozen=True, slots=True)
class Reading:
    """What became of one source. ``opaque`` counts the tests that nobody knows; ``ipset`` is
    what a source holds that lists sets and no rules."""

    ruleset: Ruleset
    problems: tuple[Problem, ...] = ()
    opaque: int = 0
    ipset: IpsetFile | None = None


@dataclass(frozen=True, slots=True)
class Reader:
    """How texts are read: ``family`` is worked out from the text where it is None;
    ``files`` are those that a text may lead to;
    ``start`` is the firewall that a script begins with, that of a host that has just started
    where it is None."""

    family: Family | None = None
    files: Files = field(default_factory=LocalFiles)
    start: Ruleset | None = None


def read(source: SourceFile, reader: Reader | None = None) -> Reading:
    """The ruleset of the source."""
    if len(source.text) > MAX_BYTES:
        return _unread(source, "unknown", _too_long(source))
    language = detect(source)
    if language.name == EMPTY:
        return _unread(source, EMPTY, _nothing(source))
    if language.advice is not None:
        return _unread(source, language.name, _foreign(source, language))
    return _READERS.get(language.name, _read_iptables)(source, reader or Reader())


def _read_iptables(source: SourceFile, reader: Reader) -> Reading:
    from iptlint.dialects.iptables.lowering.lower import lower
    from iptlint.dialects.iptables.parsing.parser import parse

    ruleset, problems = lower(parse(source, reader.family), source)
    if not ruleset.tables and not problems:
        problems = (_nothing(source),)
    return Reading(ruleset, problems, sum(map(_unknown_tests, _matches(ruleset))))


def _read_ipset(source: SourceFile, _: Reader) -> Reading:
    from iptlint.dialects.sets import read_sets

    return read_sets(source)


def _read_nft(source: SourceFile, reader: Reader) -> Reading:
    from iptlint.dialects.nft.parser import parse

    return _lowered(source, NFT, parse(source, reader.files))


def _read_nft_json(source: SourceFile, _: Reader) -> Reading:
    from iptlint.dialects.nft.wellformed import wellformed
    from iptlint.dialects.nft_json.parser import parse

    return _lowered(source, NFT_JSON, wellformed(parse(source)))


def _read_script(source: SourceFile, reader: Reader) -> Reading:
    from iptlint.dialects.script.lower import carried_out
    from iptlint.dialects.script.parser import parse

    script = carried_out(parse(source), reader.start, reader.files)
    ruleset, problems = script.final()
    if not (script.steps and ruleset.tables) and not problems:
        problems = (_no_commands(source),)
    ruleset = replace(ruleset, script=script)
    return Reading(ruleset, problems, sum(map(_unknown_tests, _matches(ruleset))))


def _lowered(source: SourceFile, dialect: str, tree: NftFile) -> Reading:
    """An nft file's tables say of which families they are; no other is asked for."""
    from iptlint.dialects.nft.execute import execute
    from iptlint.dialects.nft.lower import lower

    ruleset, problems = lower(execute(tree), source, dialect)
    problems = (*map(_not_nft, tree.problems), *problems)
    if not ruleset.tables and not problems:
        problems = (_nothing(source, "nft list ruleset"),)
    return Reading(ruleset, problems, sum(map(_unknown_tests, _matches(ruleset))))


def _not_nft(problem: SyntaxProblem) -> Problem:
    expected = f"; expected {problem.expected}" if problem.expected else ""
    return Problem(
        problem.code,
        _SEVERITIES.get(problem.code, "error"),
        problem.start,
        problem.end,
        problem.message + expected,
        problem.hint or "",
        problem.source,
    )


_SEVERITIES = {"IPT002": "info", "IPT010": "warning"}
_READERS = {
    NFT: _read_nft,
    NFT_JSON: _read_nft_json,
    IPSET_SAVE: _read_ipset,
    SCRIPT: _read_script,
}


def _matches(ruleset: Ruleset) -> Iterator[Match]:
    return (match for _, _, rule in ruleset.rules() for match in rule.matches)


def _unknown_tests(match: Match) -> int:
    match match:
        case Opaque(known=False):
            return 1
        case AnyOf(alternatives):
            return sum(_unknown_tests(test) for tests in alternatives for test in tests)
        case _:
            return 0


def _unread(source: SourceFile, dialect: str, problem: Problem) -> Reading:
    return Reading(Ruleset(source, dialect, ()), (problem,))


def _at_first_line(
    source: SourceFile, code: str, severity: str, message: str, help: str
) -> Problem:
    return Problem(code, severity, 0, source.line_span(1).end, message, help)


def _foreign(source: SourceFile, language: Language) -> Problem:
    message = f"this is {language.title}; this version of iptlint reads iptables-save and nft"
    return _at_first_line(source, "IPT001", "error", message, language.advice or "")


def _nothing(source: SourceFile, command: str = "iptables-save") -> Problem:
    message = "there is no table in this file, so nothing was checked"
    advice = f"as root, `{command}` prints the rules of this host"
    return _at_first_line(source, "IPT008", "warning", message, advice)


def _no_commands(source: SourceFile) -> Problem:
    message = "no command of this script changes a firewall, so nothing was checked"
    advice = "name the script that calls iptables or nft"
    return _at_first_line(source, "IPT008", "warning", message, advice)


def _too_long(source: SourceFile) -> Problem:
    message = f"this file is longer than {MAX_BYTES >> 20} MiB; none of it was checked"
    return _at_first_line(source, "IPT010", "warning", message, "lint its tables one by one")
