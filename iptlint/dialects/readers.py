"""Text to model: ``read`` finds out the language and lowers the text to a ruleset.

One reader a language. What a language takes to be read is imported when it is met.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from iptlint.dialects.decode import MAX_BYTES
from iptlint.dialects.detect import (
    AWS_JSON,
    CLOUDFORMATION,
    EMPTY,
    IPSET_SAVE,
    NFT,
    NFT_JSON,
    SCRIPT,
    TERRAFORM,
    UNKNOWN,
    Language,
    detect,
)
from iptlint.dialects.diagnostics import Diagnostic, SyntaxDiagnostic, at_first_line
from iptlint.dialects.iptables.syntax import IPTABLES
from iptlint.dialects.placeholders import is_filled_in, with_placeholders
from iptlint.dialects.reading import Reader, Reading
from iptlint.dialects.template_conditions import with_conditions
from iptlint.model import AnyOf, Match, Opaque, Ruleset
from iptlint.model.matches import tests_in
from iptlint.source import SourceFile

if TYPE_CHECKING:
    from iptlint.dialects.nft.tree import NftFile


def read(source: SourceFile, reader: Reader | None = None) -> Reading:
    """The ruleset of the source."""
    if len(source.text) > MAX_BYTES:
        return unread(source, "unknown", _too_long(source))
    language = detect(source)
    if language.name == EMPTY:
        return unread(source, EMPTY, _nothing(source))
    if language.advice is not None:
        return unread(source, language.name, _foreign(source, language))
    reading = _READERS.get(language.name, _read_iptables)(source, reader or Reader())
    reading = with_placeholders(reading)
    if language.name != SCRIPT:
        reading = with_conditions(reading)
    if not source.marked or language.name == SCRIPT:
        return reading
    return replace(reading, diagnostics=(_marked(source), *reading.diagnostics))


def _read_iptables(source: SourceFile, reader: Reader) -> Reading:
    from iptlint.dialects.iptables.lowering.lower import lower
    from iptlint.dialects.iptables.parsing.parser import parse

    tree = parse(source, reader.family)
    ruleset, diagnostics = lower(tree, source)
    if not ruleset.tables and not diagnostics:
        diagnostics = (_nothing(source),)
    opaque = _unknown_in(ruleset)
    return Reading(ruleset, diagnostics, opaque, tree=tree)


def _read_ipset(source: SourceFile, _: Reader) -> Reading:
    from iptlint.dialects.sets import read_sets

    return read_sets(source)


def _read_nft(source: SourceFile, reader: Reader) -> Reading:
    from iptlint.dialects.filled_variables import without_filled
    from iptlint.dialects.nft.parser import parse

    reading = _lowered(source, NFT, parse(source, reader.files))
    diagnostics = (*without_filled(source, reading.diagnostics, reader.files),)
    return replace(reading, diagnostics=diagnostics)


def _read_nft_json(source: SourceFile, _: Reader) -> Reading:
    from iptlint.dialects.nft.wellformed import wellformed
    from iptlint.dialects.nft_json.parser import parse

    return _lowered(source, NFT_JSON, wellformed(parse(source)))


def _read_aws_json(source: SourceFile, _: Reader) -> Reading:
    from iptlint.dialects.aws.reader import read_json

    return read_json(source)


def _read_template(source: SourceFile, _: Reader) -> Reading:
    from iptlint.dialects.aws.reader import read_template

    return read_template(source)


def _read_terraform(source: SourceFile, _: Reader) -> Reading:
    from iptlint.dialects.aws.reader import read_terraform

    return read_terraform(source)


def _read_script(source: SourceFile, reader: Reader) -> Reading:
    from iptlint.dialects.script.dropped_lines import asked_of_tools
    from iptlint.dialects.script.lower import run_script
    from iptlint.dialects.script.parser import parse
    from iptlint.dialects.script.without_rules import behind_the_end, without_rules

    file = parse(source)
    script = run_script(file, reader.start, reader.files, reader.arguments)
    ruleset, diagnostics = script.final()
    diagnostics = (*asked_of_tools(file, diagnostics),)
    if not (script.steps and ruleset.tables) and all(d.severity == "info" for d in diagnostics):
        diagnostics = without_rules(file, script, diagnostics)
    elif script.steps:
        diagnostics = (*diagnostics, *behind_the_end(file))
    ruleset = replace(ruleset, script=script)
    return Reading(ruleset, diagnostics, _unknown_in(ruleset))


def _lowered(source: SourceFile, dialect: str, tree: NftFile) -> Reading:
    """An nft file's tables say of which families they are; no other is asked for."""
    from iptlint.dialects.nft.execute import execute
    from iptlint.dialects.nft.lower import lower

    ruleset, diagnostics = lower(execute(tree), source, dialect)
    diagnostics = (*map(_not_nft, tree.diagnostics), *diagnostics)
    if not ruleset.tables and not diagnostics:
        nothing = _nothing(source, "nft list ruleset")
        diagnostics = (_only_defines(nothing) if ruleset.defines else nothing,)
    opaque = _unknown_in(ruleset)
    return Reading(ruleset, diagnostics, opaque, tree=tree)


def _not_nft(diagnostic: SyntaxDiagnostic) -> Diagnostic:
    expected = f"; expected {diagnostic.expected}" if diagnostic.expected else ""
    return Diagnostic(
        diagnostic.code,
        _SEVERITIES.get(diagnostic.code, "error"),
        diagnostic.start,
        diagnostic.end,
        diagnostic.message + expected,
        diagnostic.hint or "",
        diagnostic.source,
        alone=_NEEDS_A_BLOCK.match(diagnostic.message) is not None,
    )


_NEEDS_A_BLOCK = re.compile(r"The [\w ]+ is named by \w+ names?, and here|`[^`]*` is no command")
"""What is said of a chain or a rule that another file includes within a table or a chain."""
_SEVERITIES = {"IPT002": "info", "IPT010": "warning"}
_READERS = {
    NFT: _read_nft,
    NFT_JSON: _read_nft_json,
    IPSET_SAVE: _read_ipset,
    SCRIPT: _read_script,
    AWS_JSON: _read_aws_json,
    CLOUDFORMATION: _read_template,
    TERRAFORM: _read_terraform,
}


def _unknown_in(ruleset: Ruleset) -> int:
    tests = (test for _, _, rule in ruleset.rules() for test in rule.matches)
    return sum(_unknown_tests(test) for test in tests if isinstance(test, _HELD_UNKNOWN))


_HELD_UNKNOWN = (Opaque, AnyOf)
"""What a test that nobody knows may be, or be in."""


def _unknown_tests(match: Match) -> int:
    return sum(isinstance(test, Opaque) and not test.known for test in tests_in(match))


def unread(source: SourceFile, dialect: str, *diagnostics: Diagnostic) -> Reading:
    """Of a source that has no rules, or was not read."""
    return Reading(Ruleset(source, dialect, IPTABLES, ()), diagnostics)


def _foreign(source: SourceFile, language: Language) -> Diagnostic:
    if is_filled_in(source) and language == UNKNOWN:
        unclear = "nothing in this template says which rules it becomes, so nothing was checked"
        advice = "fill in the template, and check what comes of it"
        return at_first_line(source, "IPT002", "info", unclear, advice)
    message = f"this is {language.title}; this version of iptlint reads iptables-save and nft"
    return at_first_line(source, "IPT001", "error", message, language.advice or "")


def _nothing(source: SourceFile, command: str = "iptables-save") -> Diagnostic:
    message = "there is no table in this file, so nothing was checked"
    advice = f"as root, `{command}` prints the rules of this host"
    nothing = at_first_line(source, "IPT008", "warning", message, advice)
    return replace(nothing, alone=True)


def _only_defines(nothing: Diagnostic) -> Diagnostic:
    message = "this file only gives variables their values, so nothing was checked"
    return replace(nothing, message=message, help="lint the file that includes it")


def _marked(source: SourceFile) -> Diagnostic:
    message = "a byte order mark stands before the first character, and no tool takes the file"
    advice = "save it as UTF-8 without a mark: `sed -i '1s/^\\xef\\xbb\\xbf//' FILE`"
    return at_first_line(source, "IPT006", "error", message, advice)


def _too_long(source: SourceFile) -> Diagnostic:
    message = f"this file is longer than {MAX_BYTES >> 20} MiB; none of it was checked"
    return at_first_line(source, "IPT010", "warning", message, "lint its tables one by one")
