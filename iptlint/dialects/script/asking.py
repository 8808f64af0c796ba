"""What a condition asks, and what stands for the answer in rules."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Iterator, Sequence
from typing import NamedTuple

from iptlint.dialects.script import tree as t
from iptlint.dialects.script.interpreter import Interpreter
from iptlint.dialects.script.symbolic_text import is_known, shown
from iptlint.dialects.script.truths import all_of, any_of, doubt, opposite
from iptlint.model import Match, Uncertain


def truth_of(shell: Interpreter, text: str) -> Match:
    """What stands in rules for a condition of which nothing else is known."""
    return doubt(text) if shell.run.rounds else shell.run.decisions.fresh(text)


def truth_of_test(
    shell: Interpreter, node: t.Node, words: Sequence[t.Word], *, double: bool
) -> Match | None:
    """The same of a test, however often it is asked. ``words``: those between the brackets."""
    if shell.run.rounds or _runs_commands(words):
        return None
    given = [shell.expander().text(word) for word in words]
    given = given[:-1] if given[-1:] == ["]"] else given
    negated = False
    while len(given) > 1 and given[0] == "!":
        given, negated = given[1:], not negated
    truth = _of_words(shell, node, given, words, double=double)
    return opposite(truth) if negated else truth


def loop_truth(shell: Interpreter, text: str, words: Sequence[t.Word] = ()) -> Match:
    """That there is a round: of all loops over the same words at once, or of none."""
    if shell.run.rounds or not words or _runs_commands(words):
        return truth_of(shell, text)
    given = tuple(shell.expander().text(word) for word in words)
    return shell.run.decisions.again(text, ("for", given, state_of(shell, words)))


class Subject(NamedTuple):
    """What ``case`` compares with patterns. ``state``: the same where it is surely the same."""

    text: str
    state: Hashable


def asked_of(shell: Interpreter, word: t.Word) -> Subject:
    text = shell.expander().text(word)
    return Subject(text, object() if _runs_commands((word,)) else state_of(shell, (word,)))


class Fits(NamedTuple):
    """That a pattern of an item fits. ``by_value``: the subject is one of some values then, so that
    no two of them fit."""

    truth: Match
    by_value: bool


def fits_item(shell: Interpreter, item: t.CaseItem, subject: Subject) -> Fits:
    if shell.run.rounds:
        text = f"if {shown(subject.text)} is {shell.line(item.patterns[0])}"
        return Fits(doubt(text), by_value=False)
    truth = any_of([_fits(shell, pattern, subject) for pattern in item.patterns])
    return Fits(truth, all(_value(shell, pattern) is not None for pattern in item.patterns))


def truth_of_item(fits: Fits, before: Sequence[Fits]) -> Match:
    """That the item is the first that fits; ``before``: those that come before it."""
    if isinstance(fits.truth, Uncertain):
        return fits.truth
    others = (
        each.truth
        for each in before
        if each.truth == fits.truth or not (each.by_value and fits.by_value)
    )
    alone = all_of((*map(opposite, others), fits.truth))
    assert alone is not None
    return alone


def _fits(shell: Interpreter, word: t.Word, subject: Subject) -> Match:
    decisions = shell.run.decisions
    value = _value(shell, word)
    if value is not None:
        return decisions.equals(subject.text, value, subject.state)
    state = (subject, shell.expander().text(word), state_of(shell, (word,)))
    return decisions.again(f"{shown(subject.text)} is {shell.line(word)}", state)


def _value(shell: Interpreter, word: t.Word) -> str | None:
    """The only text that fits; None where several may."""
    value = shell.expander().text(word)
    plain = all(part.quoted for part in word.parts) or not re.search(r"[*?\[]", value)
    return value if plain and is_known(value) else None


def _of_words(
    shell: Interpreter, node: t.Node, given: Sequence[str], words: Sequence[t.Word], *, double: bool
) -> Match:
    decisions, read = shell.run.decisions, state_of(shell, words)
    match given:
        case [subject, "=" | "==" | "!=" as sign, value] if _is_value(value, double=double):
            truth = decisions.equals(subject, value, read)
            return opposite(truth) if sign == "!=" else truth
        case ["-n" | "-z" as sign, subject]:
            truth = decisions.equals(subject, "", read)
            return opposite(truth) if sign == "-n" else truth
        case _:
            state = (tuple(given), read, shell.run.effects)
            return decisions.again(shell.line(node), state)


def _is_value(text: str, *, double: bool) -> bool:
    return is_known(text) and not (double and re.search(r"[*?\[]", text))


def state_of(shell: Interpreter, words: Iterable[t.Word]) -> Hashable:
    """In which state the variables of the words are."""
    names = sorted({name for word in words for name in _names(word)})
    environment = shell.run.environment
    return tuple((name, environment.version(name)) for name in names)


def _names(word: t.Word) -> Iterator[str]:
    for part in word.parts:
        if isinstance(part, t.Parameter):
            yield part.name
            if part.argument is not None:
                yield from _names(part.argument)


def _runs_commands(words: Iterable[t.Word]) -> bool:
    """Whether a word is made of what a command prints, which may be something else each time."""
    return any(_runs(part) for word in words for part in word.parts)


def _runs(part: t.Part) -> bool:
    if isinstance(part, t.Parameter):
        return part.argument is not None and _runs_commands((part.argument,))
    return isinstance(part, (t.Substitution, t.Opaque))
