"""The ways a script may go where it is not known which it goes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from iptlint.dialects.script.environment import Environment, joined
from iptlint.dialects.script.generated_text import Condition
from iptlint.dialects.script.state import Flow, Result

if TYPE_CHECKING:
    from iptlint.dialects.script.shell import Shell

Act = Callable[[], Result]


@dataclass(frozen=True, slots=True)
class Way:
    """One of the ways on, and what has to hold for it."""

    condition: Condition
    act: Act


def either(shell: Shell, ways: Sequence[Way], *, complete: bool) -> Result:
    """It is not known which way is taken; unless they are complete, it may be none."""
    run = shell.run
    before = run.environment
    going: list[Environment] = []
    leaving: list[tuple[Way, Result, Environment]] = []
    for way in ways:
        then = run.checkpoint()
        run.environment = before.copy()
        guards = run.guards
        run.guards = (*guards, way.condition)
        try:
            result = way.act()
        finally:
            run.guards = guards
        if _gives_up(shell, result, run.has_changed(then)):
            run.back_to(then)
        elif result.flow is Flow.GO:
            going.append(run.environment)
        else:
            leaving.append((way, result, run.environment))
    if not complete:
        going.append(before.copy())
    return _after(shell, before, going, leaving)


def _gives_up(shell: Shell, result: Result, changed: bool) -> bool:
    match result.flow:
        case Flow.EXIT:
            return result.status != 0 or not changed
        case Flow.RETURN:
            return result.status not in (0, None) and not changed
        case _:
            return False


def _after(
    shell: Shell,
    before: Environment,
    going: list[Environment],
    leaving: list[tuple[Way, Result, Environment]],
) -> Result:
    run = shell.run
    if not going and not leaving:
        run.environment = before
        return Result(1, Flow.EXIT)
    if not going:
        before.take(joined([environment for _, _, environment in leaving]))
        run.environment = before
        return leaving[-1][1]._replace(status=None)
    before.take(joined(going))
    run.environment = before
    for way, result, environment in leaving:
        _may_have_left(shell, way, result, environment)
    return Result(None)


def _may_have_left(shell: Shell, way: Way, result: Result, environment: Environment) -> None:
    """What follows is carried out only where that way was not taken."""
    loops = (Flow.BREAK, Flow.CONTINUE)
    wanted = Flow.BREAK if result.flow in loops else result.flow
    scopes = shell.run.scopes
    scope = next((s for s in reversed(scopes) if s.kind is wanted), scopes[0])
    text = way.condition.text
    opposite = "if " if text.startswith("unless ") else "unless "
    bare = text.removeprefix("if ").removeprefix("unless ")
    scope.conditions.append(Condition(opposite + bare, way.condition.span))
    scope.left.append(environment)
