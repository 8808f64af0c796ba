"""Statements that read a variable which has one of several values: once for each."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial

from iptlint.dialects.diagnostics import Diagnostic
from iptlint.dialects.script import tree as t
from iptlint.dialects.script.branches import Alternative, run_alternatives
from iptlint.dialects.script.choices import Value
from iptlint.dialects.script.interpreter import Interpreter
from iptlint.dialects.script.state import Result
from iptlint.model.matches import Decided, Match, tests_in

MOST = 8
"""So many ways of one statement are followed; further variables are not known in it."""


def undecided(shell: Interpreter, statement: t.Statement) -> list[str]:
    """The variables of its own words that have one of several values."""
    environment = shell.run.environment
    if not environment.choices or shell.run.rounds:
        return []
    chosen: list[str] = []
    ways = 1
    for name in dict.fromkeys(_read_by(statement)):
        ways *= len(environment.options(name)) or 1
        if ways > MOST:
            break
        chosen += [name] if environment.options(name) else []
    return chosen


def for_each(shell: Interpreter, names: Sequence[str], action: Callable[[], Result]) -> Result:
    """The action with each value that the variables may have together."""
    if not names:
        return action()
    name, *others = names
    diagnostics = shell.run.diagnostics
    told: list[list[Diagnostic]] = []

    def with_value(value: Value | None) -> Result:
        before = len(diagnostics)
        shell.run.environment.put(name, value)
        result = for_each(shell, others, action)
        told.append(diagnostics[before:])
        del diagnostics[before:]
        return result

    options = shell.run.environment.options(name)
    alternatives = [
        Alternative(option.condition, partial(with_value, option.value)) for option in options
    ]
    result = run_alternatives(shell, alternatives, complete=True)
    asked = any(_asks_for(option.condition.truth, name) for option in options)
    unset = any(option.value is None for option in options)  # the script counts on the other way
    certain = not (shell.run.guards or asked or unset)
    diagnostics += [each for some in told for each in some] if certain else _in_all(told)
    return result


def _asks_for(truth: Match, name: str) -> bool:
    """Whether it depends on what the variable was: so each value is one that the script has looked
    at, as in `[[ $IP = [0-9]* ]] || IP=$(…)`."""
    pattern = re.compile(rf"\${{?{re.escape(name)}\b")
    return any(isinstance(t, Decided) and pattern.search(t.key) for t in tests_in(truth))


def _in_all(told: Sequence[Sequence[Diagnostic]]) -> list[Diagnostic]:
    """What is wrong with whichever value. Under a further condition the variable may have only one
    of them, without anybody being able to tell: `if [ $LOG = yes ]; then … $LOG_CHAIN`."""
    places = [{(each.code, each.source, each.start) for each in some} for some in told]
    common = set.intersection(*places) if places else set()
    return [e for some in told for e in some if (e.code, e.source, e.start) in common]


# -- what a statement reads ----------------------------------------------------------------------


def _read_by(statement: t.Statement) -> Iterator[str]:
    match statement:
        case t.Command(assignments, words, redirects):
            yield from _in_words(words)
            for each in assignments:
                yield from _in_assignment(each)
            yield from _in_redirects(redirects)
        case t.Test(words):
            yield from _in_words(words)
        case t.Calculation(text):
            yield from _in_sum(text)
        case t.Case(subject, items):
            yield from _in_words((subject, *(p for item in items for p in item.patterns)))
        case t.For(_, words):
            yield from _in_words(words or ())
        case t.CountingFor(initial, condition, update):
            yield from _in_sum(f"{initial} {condition} {update}")
        case t.Redirected(_, redirects):
            yield from _in_redirects(redirects)


def _in_assignment(each: t.Assignment) -> Iterator[str]:
    if each.append:
        yield each.name
    yield from _in_words((*((each.value,) if each.value else ()), *(each.items or ())))


def _in_redirects(redirects: Iterable[t.Redirect]) -> Iterator[str]:
    return _in_words(each.target for each in redirects if each.target is not None)


def _in_sum(text: str) -> list[str]:
    return re.findall(r"[A-Za-z_]\w*", text)


def _in_words(words: Iterable[t.Word]) -> Iterator[str]:
    for word in words:
        for part in word.parts:
            match part:
                case t.Parameter(name, argument=argument):
                    yield name
                    yield from _in_words(() if argument is None else (argument,))
                case t.Arithmetic(text):
                    yield from _in_sum(text)
                case t.Substitution(body):
                    yield from _in_body(body)


def _in_body(statements: Iterable[t.Statement]) -> Iterator[str]:
    """Those of the plain commands in ``$(…)``, whose output is a part of the word."""
    for statement in statements:
        match statement:
            case t.Pipeline(members):
                yield from _in_body(members)
            case t.Listing(first, rest):
                yield from _in_body((first, *(each for _, each in rest)))
            case _:
                yield from _read_by(statement)
