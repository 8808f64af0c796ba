"""The ways a script may go where it is not known which it goes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from iptlint.dialects.script.environment import Environment, merge_environments
from iptlint.dialects.script.generated_text import Condition
from iptlint.dialects.script.interpreter import Interpreter
from iptlint.dialects.script.state import Flow, Result

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
            return result.status not in (0, None) and not changed
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
        return leaving[-1][1]._replace(status=None)
    before.take(merge_environments(going))
    run.environment = before
    for alternative, result, environment in leaving:
        _may_have_left(shell, alternative, result, environment)
    return Result(None)


def _may_have_left(
    shell: Interpreter, alternative: Alternative, result: Result, environment: Environment
) -> None:
    """What follows is carried out only where that alternative was not taken."""
    loops = (Flow.BREAK, Flow.CONTINUE)
    wanted = Flow.BREAK if result.flow in loops else result.flow
    scopes = shell.run.scopes
    scope = next((s for s in reversed(scopes) if s.kind is wanted), scopes[0])
    text = alternative.condition.text
    opposite = "if " if text.startswith("unless ") else "unless "
    bare = text.removeprefix("if ").removeprefix("unless ")
    scope.conditions.append(Condition(opposite + bare, alternative.condition.span))
    scope.left.append(environment)
