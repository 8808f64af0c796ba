"""What has to hold in a run of a script, as tests of the rules that are there only then."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import product

from iptlint.model import AnyOf, Decided, Match, Uncertain

MANY = 8
"""So many decisions are tried out together, each both ways."""


def doubt(text: str) -> Uncertain:
    """Nobody knows, and it may be otherwise for the next command."""
    return Uncertain("script", text)


def is_doubt(match: Match) -> bool:
    match match:
        case AnyOf(alternatives):
            return any(is_doubt(test) for tests in alternatives for test in tests)
        case Decided() | Uncertain("script"):
            return True
        case _:
            return False


def is_simple(match: Match) -> bool:
    """Whether it hangs on so few decisions that they can be tried out together."""
    return len(set(_keys(match))) <= MANY


def is_decision(match: Match) -> bool:
    """Whether it is the same for every command that asks."""
    match match:
        case AnyOf(alternatives):
            return all(is_decision(test) for tests in alternatives for test in tests)
        case _:
            return isinstance(match, Decided)


def all_of(truths: Iterable[Match]) -> Match | None:
    """That all hold, as one test; None where there is none."""
    unique = tuple(dict.fromkeys(truths))
    if len(unique) < 2:
        return unique[0] if unique else None
    return AnyOf((unique,))


def any_of(truths: Sequence[Match]) -> Match:
    """That one of them holds, as one test."""
    return truths[0] if len(truths) == 1 else AnyOf(tuple((truth,) for truth in truths))


def opposite(truth: Match) -> Match:
    match truth:
        case Decided(key, negated):
            return Decided(key, not negated)
        case AnyOf(alternatives, negated):
            return AnyOf(alternatives, not negated)
        case _:
            return AnyOf(((truth,),), negated=True)


def may_hold(matches: Iterable[Match]) -> bool:
    """Whether the decisions among the tests can be such that all of these hold."""
    tests = [match for match in matches if is_doubt(match)]
    plain = {test for test in tests if isinstance(test, Decided)}
    if any(opposite(test) in plain for test in plain):
        return False
    if all(isinstance(test, Decided) for test in tests) or _hang_on_many(tests):
        return True
    return _may_hold(tuple(dict.fromkeys(tests)))


def _hang_on_many(tests: Iterable[Match]) -> bool:
    """Whether on too many decisions to try them out. Such tests may be long, and dear to hash."""
    keys = set[str]()
    for key in (key for test in tests for key in _keys(test)):
        keys.add(key)
        if len(keys) > MANY:
            return True
    return False


@lru_cache(maxsize=4096)
def _may_hold(tests: tuple[Match, ...]) -> bool:
    keys = list(dict.fromkeys(key for test in tests for key in _keys(test)))
    values = (
        dict(zip(keys, each, strict=True)) for each in product((True, False), repeat=len(keys))
    )
    return any(all(_may(test, each) for test in tests) for each in values)


def _keys(match: Match) -> Iterator[str]:
    match match:
        case AnyOf(alternatives):
            for tests in alternatives:
                for test in tests:
                    yield from _keys(test)
        case Decided(key):
            yield key


def _may(match: Match, values: dict[str, bool], *, hold: bool = True) -> bool:
    """Whether it may hold, or fail, with these decisions."""
    match match:
        case Decided(key, negated):
            return (values[key] is not negated) is hold
        case AnyOf(alternatives, negated):
            if hold is not negated:
                return any(all(_may(t, values) for t in tests) for tests in alternatives)
            return all(any(_may(t, values, hold=False) for t in tests) for tests in alternatives)
        case _:
            return True
