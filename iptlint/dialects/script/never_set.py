"""Rules with variables that are never given a value."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import lru_cache

from iptlint.dialects.diagnostics import Diagnostic
from iptlint.dialects.script.files import STARTERS, has_word_beside, is_told_of
from iptlint.dialects.script.generated_text import Condition, text_of_words
from iptlint.dialects.script.iptables_execution import IptablesCall
from iptlint.dialects.script.state import Run
from iptlint.dialects.script.symbolic_text import is_known, mark, names
from iptlint.dialects.script.truths import doubt
from iptlint.model import Family, Rule, VerdictKind

_ADDS = frozenset({"-A", "--append", "-I", "--insert", "-R", "--replace"})


def without_unset(run: Run, family: Family, call: IptablesCall) -> IptablesCall | Diagnostic:
    """The command as the shell hands it over where nothing gives a variable a value; or what to say
    of it, where the tool refuses it then. It stays in doubt: a value may come from outside."""
    unset = list(dict.fromkeys(name for word in call.words for name in _unset(run, word)))
    if not unset or not _ADDS.intersection(call.words) or _are_asked_for(run, unset):
        return call
    pairs = zip((_emptied(word, unset) for word in call.words), call.spans, strict=True)
    kept = [(word, span) for word, span in pairs if word or span.text[:1] in ('"', "'")]
    if not all(is_known(word) for word, _ in kept):
        return call
    words, spans = tuple(word for word, _ in kept), tuple(span for _, span in kept)
    generated = text_of_words(call.span.source.path, words, spans)
    parsed = run.tool(family).reader.read(words, generated, call.span, call.table)
    if any(diagnostic.severity == "error" for diagnostic in parsed.diagnostics):
        return _refused(call, unset[0])
    if parsed.diagnostics or (parsed.rule is not None and _decides_nothing(parsed.rule)):
        return call  # with a value it may be another rule
    condition = Condition(f"${unset[0]}", call.span, doubt(f"${unset[0]}"))
    return replace(call, words=words, spans=spans, conditions=(*call.conditions, condition))


_STOPS_WITHOUT = re.compile(
    r"^#!\S*sh[ \t]+-\w*u|^[ \t]*set[ \t]+(?:-\w+[ \t]+)*-(?:\w*u\w*|\w*o[ \t]+nounset)\b",
    re.MULTILINE,
)
"""``set -u``: the shell itself says that a variable has no value, and goes no further."""


def _are_asked_for(run: Run, unset: list[str]) -> bool:
    """Whether who calls the script is told to give the variables values: in a remark that names
    them, or by the shell, or the script asks whether one has any, or a file beside it that starts
    it speaks of one. Names like a word are none."""
    text = run.main.text
    if not _tested(text).isdisjoint(unset) or _stops_without(text):
        return True
    path = run.files.own_path(run.main.path)
    starters = (*STARTERS, "*.env")
    if any(has_word_beside(run.files, path, name, starters) for name in unset):
        return True
    if any(is_told_of(run.files, path, name) for name in unset):
        return True
    return all(name != name.lower() and name in _in_remarks(text) for name in unset)


_REMEMBERED = 4
"""Scripts; each variable of one is asked about."""


@lru_cache(_REMEMBERED)
def _stops_without(text: str) -> bool:
    return _STOPS_WITHOUT.search(text) is not None


@lru_cache(_REMEMBERED)
def _tested(text: str) -> frozenset[str]:
    """The variables whose values the script asks for: it knows that one may have none."""
    names: set[str] = set()
    for line in text.split("\n"):
        code = line.partition("#")[0]
        for command in _COMMAND.finditer(line):
            test = _TEST.search(code, *command.span())
            if test is not None:
                names.update(_VARIABLE.findall(line, test.end(), command.end()))
        names.update(_CASE.findall(code))
    return frozenset(names)


_COMMAND = re.compile(r"[^;|&]+")
_TEST = re.compile(r"(?:\[\[?|\btest)[ \t]")
_VARIABLE = re.compile(r"\$\{?(\w+)")
_CASE = re.compile(r"\bcase[ \t]+[\"']?\$\{?(\w+)")


@lru_cache(_REMEMBERED)
def _in_remarks(text: str) -> frozenset[str]:
    """The words of remarks, those aside that have a value there."""
    remarks = _REMARK.findall(text)
    return frozenset(word for remark in remarks for word in _WORD.findall(remark))


_REMARK = re.compile(r"^[ \t]*#(?!!)(.*)", re.MULTILINE)
_WORD = re.compile(r"\b(\w+)\b(?![ \t]*\+?=)")


def _decides_nothing(rule: Rule) -> bool:
    return rule.verdict.kind is VerdictKind.CONTINUE and not rule.effects


def _refused(call: IptablesCall, name: str) -> Diagnostic:
    span = call.span
    return Diagnostic(
        "IPT006",
        "warning",
        span.start,
        span.end,
        f"nothing in this script gives ${name} a value: without one this command fails, and there "
        "is no such rule",
        f"set {name} before, or call the script with it in the environment",
        span.source,
    )


def _unset(run: Run, word: str) -> list[str]:
    called = (text.removeprefix("$") for text in names(word) if text.startswith("$"))
    return [name for name in called if run.environment.is_never_set(name)]


def _emptied(word: str, unset: list[str]) -> str:
    for name in unset:
        word = word.replace(mark(f"${name}"), "")
    return word
