"""The ways a script may go where it is not known which it goes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from iptlint.dialects.script.environment import Environment, merge_environments
from iptlint.dialects.script.generated_text import Condition, together
from iptlint.dialects.script.interpreter import Interpreter
from iptlint.dialects.script.state import Flow, Result
from iptlint.dialects.script.truths import all_of, any_of
from iptlint.model import Match

Action = Callable[[], Result]


@dataclass(frozen=True, slots=True)
class Alternative:
    """One of the ways on, and what has to hold for it."""

    condition: Condition
    action: Action


class Way(NamedTuple):
    """An alternative that was followed, how it ended, and how things are then."""

    condition: Condition
    result: Result
    environment: Environment


def run_alternatives(
    shell: Interpreter, alternatives: Sequence[Alternative], *, complete: bool
) -> Result:
    """It is not known which alternative is taken; unless they are complete, it may be none."""
    run = shell.run
    none = [each.condition.opposite() for each in alternatives]
    complete |= not run.may_hold(*none)
    alternatives = [each for each in alternatives if run.may_hold(each.condition)]
    before = run.environment
    going: list[Way] = []
    leaving: list[Way] = []
    for alternative in alternatives:
        then = run.checkpoint()
        run.environment = before.copy()
        guards = run.guards
        run.guards = (*guards, alternative.condition)
        try:
            result = alternative.action()
        finally:
            run.guards = guards
        if _gives_up(shell, result, run.has_changed(then)):
            run.back_to(then)
        else:
            ways = going if result.flow is Flow.GO else leaving
            ways.append(Way(alternative.condition, result, run.environment))
    if not complete:
        going.append(Way(_all_hold(none), Result(), before.copy()))
    return _after(shell, before, going, leaving)


def _all_hold(conditions: Sequence[Condition]) -> Condition:
    truth = together(conditions)
    assert truth is not None
    return replace(conditions[-1], truth=truth)


def at_the_end(
    lefts: Sequence[tuple[Condition, Environment]], environment: Environment
) -> Environment:
    """How things are behind what may have been left before its end; ``lefts``: what had to hold
    where it was, and how things are there, in their order."""
    ways: list[tuple[Condition, Environment]] = []
    before: list[Condition] = []
    for condition, left in lefts:
        ways.append((_all_hold((*before, condition)), left))
        before.append(condition.opposite())
    return merge_environments([(_all_hold(before), environment), *ways])


def _gives_up(shell: Interpreter, result: Result, changed: bool) -> bool:
    match result.flow:
        case Flow.EXIT:
            return result.status != 0 or not changed
        case Flow.RETURN:
            # Asked for its answer, a function says no, and gives nothing up.
            return result.status not in (0, None) and not changed and not shell.run.asking
        case _:
            return False


def _after(
    shell: Interpreter,
    before: Environment,
    going: list[Way],
    leaving: list[Way],
) -> Result:
    run = shell.run
    if not going and not leaving:
        run.environment = before
        return Result(1, Flow.EXIT)
    taken = going or leaving
    before.take(merge_environments([(way.condition, way.environment) for way in taken]))
    run.environment = before
    if going:
        for way in leaving:
            _may_have_left(shell, way)
    return _whichever(taken)


def _whichever(ways: Sequence[Way]) -> Result:
    """How it ended, one way with this status and one with that."""
    last = ways[-1].result
    statuses = {way.result.status for way in ways}
    if len(statuses) == 1 and None not in statuses:
        return last
    successes = [truth for truth in map(_success, ways) if truth is not None]
    unknown = any(way.result.status is None and way.result.truth is None for way in ways)
    truth = None if unknown or not successes else any_of(successes)
    return last._replace(status=None, truth=truth)


def _success(way: Way) -> Match | None:
    """What has to hold for the way to be taken and to succeed."""
    if way.result.status not in (0, None):
        return None
    return all_of([way.condition.truth, *([way.result.truth] if way.result.truth else [])])


def _may_have_left(shell: Interpreter, way: Way) -> None:
    """What follows is carried out only where that way was not taken."""
    result = way.result
    loops = (Flow.BREAK, Flow.CONTINUE)
    wanted = Flow.BREAK if result.flow in loops else result.flow
    scopes = shell.run.scopes
    number = next((n for n in reversed(range(len(scopes))) if scopes[n].kind is wanted), 0)
    scope, inner = scopes[number], scopes[number + 1 :]
    inside = (c for each in inner for c in (*each.conditions, *each.of_round))
    guards = shell.run.guards[len(scope.guards) :]
    taken = together((*inside, *guards, way.condition))
    assert taken is not None
    condition = replace(way.condition, truth=taken)
    goes_on = result.flow is Flow.CONTINUE
    (scope.of_round if goes_on else scope.conditions).append(condition.opposite())
    lefts = scope.left_in_round if goes_on else scope.left
    lefts.append((condition, way.environment))
    scope.departures.append((taken, result.status))
