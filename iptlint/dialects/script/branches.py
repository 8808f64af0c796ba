"""The ways a script may go where it is not known which it goes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from iptlint.dialects.script.environment import Environment, merge_environments
from iptlint.dialects.script.generated_text import Condition, together
from iptlint.dialects.script.interpreter import Interpreter
from iptlint.dialects.script.state import Flow, Result
from iptlint.dialects.script.truths import all_of, any_of, opposite
from iptlint.model import Match

Action = Callable[[], Result]


@dataclass(frozen=True, slots=True)
class Alternative:
    """One of the ways on, and what has to hold for it."""

    condition: Condition
    action: Action


def run_alternatives(
    shell: Interpreter, alternatives: Sequence[Alternative], *, complete: bool
) -> Result:
    """It is not known which alternative is taken; unless they are complete, it may be none."""
    run = shell.run
    complete |= not run.may_hold(*(each.condition.opposite() for each in alternatives))
    alternatives = [each for each in alternatives if run.may_hold(each.condition)]
    before = run.environment
    going: list[Environment] = []
    leaving: list[tuple[Alternative, Result, Environment]] = []
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
        elif result.flow is Flow.GO:
            going.append(run.environment)
        else:
            leaving.append((alternative, result, run.environment))
    if not complete:
        going.append(before.copy())
    return _after(shell, before, going, leaving)


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
    going: list[Environment],
    leaving: list[tuple[Alternative, Result, Environment]],
) -> Result:
    run = shell.run
    if not going and not leaving:
        run.environment = before
        return Result(1, Flow.EXIT)
    if not going:
        before.take(merge_environments([environment for _, _, environment in leaving]))
        run.environment = before
        return _all_leave([(alternative, result) for alternative, result, _ in leaving])
    before.take(merge_environments(going))
    run.environment = before
    for alternative, result, environment in leaving:
        _may_have_left(shell, alternative, result, environment)
    return Result(None)


def _all_leave(leaving: Sequence[tuple[Alternative, Result]]) -> Result:
    """All alternatives leave, one with this status and one with that."""
    last = leaving[-1][1]
    statuses = {result.status for _, result in leaving}
    if len(statuses) == 1 and None not in statuses:
        return last
    successes = [_success(alternative, result) for alternative, result in leaving]
    known = [truth for truth in successes if truth is not None]
    unknown = any(result.status is None and result.truth is None for _, result in leaving)
    return last._replace(status=None, truth=None if unknown or not known else any_of(known))


def _success(alternative: Alternative, result: Result) -> Match | None:
    """What has to hold for the alternative to be taken and to succeed."""
    if result.status not in (0, None):
        return None
    truths = [alternative.condition.truth, *([result.truth] if result.truth else [])]
    return all_of(truths)


def _may_have_left(
    shell: Interpreter, alternative: Alternative, result: Result, environment: Environment
) -> None:
    """What follows is carried out only where that alternative was not taken."""
    loops = (Flow.BREAK, Flow.CONTINUE)
    wanted = Flow.BREAK if result.flow in loops else result.flow
    scopes = shell.run.scopes
    number = next((n for n in reversed(range(len(scopes))) if scopes[n].kind is wanted), 0)
    scope, inner = scopes[number], scopes[number + 1 :]
    inside = (c for each in inner for c in (*each.conditions, *each.of_round))
    guards = shell.run.guards[len(scope.guards) :]
    taken = together((*inside, *guards, alternative.condition))
    assert taken is not None
    condition = replace(alternative.condition.opposite(), truth=opposite(taken))
    (scope.of_round if result.flow is Flow.CONTINUE else scope.conditions).append(condition)
    scope.left.append(environment)
    scope.departures.append((taken, result.status))
