"""Text to model: ``read`` finds out the language and lowers the text to a ruleset.

One reader a language. What a language takes to be read is imported when it is met.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
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
    Language,
    detect,
)
from iptlint.dialects.diagnostics import Diagnostic, SyntaxDiagnostic
from iptlint.dialects.iptables.syntax import IPTABLES
from iptlint.dialects.placeholders import with_placeholders
from iptlint.dialects.reading import Reader, Reading
from iptlint.model import AnyOf, Match, Opaque, Ruleset
from iptlint.model.matches import tests_in
from iptlint.model.script import Kind
from iptlint.source import SourceFile, Span

if TYPE_CHECKING:
    from iptlint.dialects.nft.tree import NftFile
    from iptlint.dialects.script.wanted import Wanted


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
    from iptlint.dialects.nft.parser import parse

    return _lowered(source, NFT, parse(source, reader.files))


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
    from iptlint.dialects.script.arguments import asks_for_words
    from iptlint.dialects.script.files import called_files, sourced_files
    from iptlint.dialects.script.lower import run_script
    from iptlint.dialects.script.parser import parse
    from iptlint.dialects.script.tree import end_of
    from iptlint.dialects.script.wanted import wanted

    file = parse(source)
    script = run_script(file, reader.start, reader.files, reader.arguments)
    ruleset, diagnostics = script.final()
    if not (script.steps and ruleset.tables) and all(d.severity == "info" for d in diagnostics):
        # Of what nothing was checked, nobody need be told what was not understood.
        called, sourced = called_files(script.absent), sourced_files(script.absent)
        elsewhere = bool(script.rule_files or called)
        asking = next(filter(asks_for_words, diagnostics), None)
        nothing = _no_commands(source, script.rule_files, called, end_of(file))
        handed = _HANDED.search(source.text, 0, end_of(file))
        if sourced and handed and nothing.message == _ONLY_NAMES:
            nothing = replace(nothing, message=_by_functions_of(sourced), help=_RUN)
            elsewhere = True
        told = [d for d in diagnostics if not (elsewhere and d.code == "IPT002")]
        changing = [step.span for step in script.steps if step.kind is Kind.CHANGE]
        loading = [span for span in changing if span in script.absent]
        if loading:
            nothing = replace(nothing, message=_loads(loading[0]), help=_LOADED)
        elif changing:
            nothing = replace(nothing, message=_ONLY_DELETES, help="name what makes the rules")
        unset = wanted(file)
        if unset is not None and not (script.steps or script.rule_files or called):
            nothing = replace(nothing, help=_fill_in(unset))
        elif asking is not None and not script.rule_files:
            nothing = replace(nothing, help=f"{asking.message}: {asking.help}")
        diagnostics = (*(each for each in told if each is not asking), nothing)
    elif script.steps:
        diagnostics = (*diagnostics, *_behind_the_end(source, end_of(file)))
    ruleset = replace(ruleset, script=script)
    return Reading(ruleset, diagnostics, _unknown_in(ruleset))


def _behind_the_end(source: SourceFile, end: int) -> Iterator[Diagnostic]:
    """Commands for a firewall below an ``exit`` that is always carried out."""
    behind = [match.start() for match in _ADDS.finditer(source.text, end)]
    if behind:
        first, last = source.line_of(behind[0]), source.line_of(behind[-1])
        lines = f"lines {first} to {last} are" if last > first else f"line {first} is"
        exit_ = source.line_of(end)
        message = f"{lines} never carried out: the script ends at line {exit_}"
        advice = f"take line {exit_} out, or what is below it"
        start, stop = behind[0], source.line_span(first).end
        yield Diagnostic("IPT002", "info", start, stop, message, advice, source)


_ADDS = re.compile(
    r"^[ \t]*(?:sudo[ \t]+)?(?:(?:/\S*/)?ip6?tables|\$\{?\w*(?:IPT|ipt)\w*\}?)[ \t]+-(?=[-\w])",
    re.MULTILINE,
)


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
    )


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


def _at_first_line(
    source: SourceFile, code: str, severity: str, message: str, help: str
) -> Diagnostic:
    return Diagnostic(code, severity, 0, source.line_span(1).end, message, help)


def _foreign(source: SourceFile, language: Language) -> Diagnostic:
    message = f"this is {language.title}; this version of iptlint reads iptables-save and nft"
    return _at_first_line(source, "IPT001", "error", message, language.advice or "")


def _nothing(source: SourceFile, command: str = "iptables-save") -> Diagnostic:
    message = "there is no table in this file, so nothing was checked"
    advice = f"as root, `{command}` prints the rules of this host"
    nothing = _at_first_line(source, "IPT008", "warning", message, advice)
    return replace(nothing, alone=True)


def _only_defines(nothing: Diagnostic) -> Diagnostic:
    message = "this file only gives variables their values, so nothing was checked"
    return replace(nothing, message=message, help="lint the file that includes it")


def _marked(source: SourceFile) -> Diagnostic:
    message = "a byte order mark stands before the first character, and no tool takes the file"
    advice = "save it as UTF-8 without a mark: `sed -i '1s/^\\xef\\xbb\\xbf//' FILE`"
    return _at_first_line(source, "IPT006", "error", message, advice)


_NAMES_A_TOOL = re.compile(r"^(?!\s*#).*\b(?:ip6?tables|nft)\b", re.MULTILINE | re.IGNORECASE)
_MANAGER = re.compile(
    r"^[ \t]*(?:\$?\{?sudo\}?[ \t]+)?(?:/usr)?(?:/s?bin/)?(firewall-cmd|ufw)[ \t]",
    re.MULTILINE | re.IGNORECASE,
)
_SERVICE = re.compile(
    r"^[ \t]*(?:sudo[ \t]+)?(?:/usr)?(?:/s?bin/)?(?:(?:rc-)?service|systemctl)[ \t]+"
    r"(?!(?:-\S+[ \t]+)*(?:status|show|cat|is-\w+)\b)(?:[-\w]+[ \t]+)*?(ip6?tables|nftables)\b",
    re.MULTILINE,
)
_BY_A_TOOL = re.compile(r"^[ \t]*(?:sudo[ \t]+)?(?:/\S*/)?(?:ip6?tables|nft)[ \t]", re.MULTILINE)
_RUN = "where it has been run, lint what `iptables-save` or `nft list ruleset` prints"
_HANDED = re.compile(
    r"^[ \t]*(?!(?:echo|printf|log\w*|grep|sed|awk|cat)\b)[\w.-]+[ \t]+(?:[^\s\"'#]+[ \t]+)*"
    r"[\"'][^\"'\n]*\b(?:ip6?tables|nft)[ \t]",
    re.MULTILINE,
)
"""A command of a tool, in quotes, that another command is to carry out."""
_IN_NAMESPACES = re.compile(
    r"^(?!\s*#).*\bip (?:netns exec|-n(?:etns)? ?\w+ .*\bexec) .*\b(?:ip6?tables|nft)\b",
    re.MULTILINE,
)


_ONLY_DELETES = (
    "this script deletes rules and makes none, as far as it was followed, so nothing was checked"
)


def _no_commands(
    source: SourceFile, rule_files: Sequence[str], called: Sequence[str], end: int
) -> Diagnostic:
    """``called``: the files that it has carried out and that are not here; ``end``: where it stops,
    whatever comes behind that."""
    message = "no command of this script changes this host's firewall, so nothing was checked"
    advice = "name the script that calls iptables or nft"
    if rule_files:
        message = (
            f"the rules of this script are what it writes into {rule_files[0]}, and none of its own"
            " commands makes any, so nothing was checked"
        )
        advice = "where it has been run, lint that file"
    elif _IN_NAMESPACES.search(source.text):
        message = (
            "this script changes the firewalls of network namespaces (`ip netns exec`) and not "
            "this host's, so nothing was checked"
        )
        advice = "in each of them: ip netns exec NAME iptables-save | iptlint check -"
    elif _NAMES_A_TOOL.search(source.text, end) and not _NAMES_A_TOOL.search(source.text, 0, end):
        line = source.line_of(end)
        message = (
            f"this script ends at line {line}, before its first command for a firewall, so nothing"
            " was checked"
        )
        advice = f"take line {line} out once the script is to be used"
    elif called:
        message, advice = _elsewhere(called)
    elif managed := _managed(source.text):
        message, advice = managed, _RUN
    elif _NAMES_A_TOOL.search(source.text):
        message = _ONLY_NAMES
        advice = (
            "if its functions are for another script to call, name that one; if it wants an "
            "argument, give it with --script-args"
        )
    told = _at_first_line(source, "IPT008", "warning", message, advice + _options(source, end))
    return replace(told, alone=True)


_LOADED = "lint that file, or put it beside this script"


def _loads(command: Span) -> str:
    return (
        f"the rules of this script are in the file that line {command.line} loads, which is not "
        "here, so nothing was checked"
    )


def _managed(text: str) -> str:
    """Who else makes the rules, by a command of the script; empty where nobody does."""
    if manager := _MANAGER.search(text):
        return f"the rules that {manager[1]} makes of this script's commands were not checked"
    if (service := _SERVICE.search(text)) and not _BY_A_TOOL.search(text):
        return (
            f"this script only says what becomes of the service {service[1]}, so nothing was "
            "checked: the rules are those that the service loads"
        )
    return ""


_ONLY_NAMES = (
    "this script names iptables or nft, but no command that it carries out, called as it is here, "
    "changes this host's firewall, so nothing was checked"
)


def _by_functions_of(sourced: Sequence[str]) -> str:
    return (
        f"{' and '.join(sourced)}, whose functions this script takes, "
        f"{'is' if len(sourced) == 1 else 'are'} not read here, and none of its own commands "
        "changes this host's firewall, so nothing was checked"
    )


def _fill_in(unset: Wanted) -> str:
    return (
        f"give {unset.name} its value in line {unset.given}: as long as it is empty, the script "
        f"ends at line {unset.line}"
    )


def _options(source: SourceFile, end: int) -> str:
    """Those that the script asks for, as who lints it gives them."""
    found = _OPTIONS.search(source.text, 0, end)
    named = ", ".join(f"--script-args=-{each}" for each in found[1]) if found else ""
    return f" (it takes options: {named})" if named else ""


_OPTIONS = re.compile(r"^[^#\n]*\bgetopts[ \t]+[\"']?:?([A-Za-z]+)", re.MULTILINE)


def _elsewhere(called: Sequence[str]) -> tuple[str, str]:
    verb, what = ("is", "it") if len(called) == 1 else ("are", "them")
    message = (
        "no command of this script itself changes this host's firewall, and "
        f"{' and '.join(called)}, which it calls, {verb} not here, so nothing was checked"
    )
    return message, f"lint {what}, or put {what} beside this script"


def _too_long(source: SourceFile) -> Diagnostic:
    message = f"this file is longer than {MAX_BYTES >> 20} MiB; none of it was checked"
    return _at_first_line(source, "IPT010", "warning", message, "lint its tables one by one")
