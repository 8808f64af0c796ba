"""``for`` and ``while``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from iptlint.dialects.script import arithmetic
from iptlint.dialects.script import tree as t
from iptlint.dialects.script.asking import loop_truth
from iptlint.dialects.script.branches import (
    Action,
    Alternative,
    at_the_end,
    run_alternatives,
)
from iptlint.dialects.script.generated_text import Condition
from iptlint.dialects.script.interpreter import Interpreter
from iptlint.dialects.script.state import Flow, Result, Scope, TooMuchError
from iptlint.dialects.script.symbolic_text import WHOLE, mark, shown
from iptlint.dialects.script.truths import opposite
from iptlint.model.numbers import c_number
from iptlint.source import Span

MAX_ROUNDS = 5000
MAX_DEPARTURES = 8
"""So often it is followed that a loop may have been left, or not; then nobody knows how often it
goes round."""
MAX_CHANGING_ROUNDS = 40
MAX_ENDLESS_ROUNDS = 3
"""Of a loop that only something in it can end."""


def for_(shell: Interpreter, node: t.For) -> Result:
    run = shell.run
    words = run.environment.arguments if node.words is None else shell.expander().fields(node.words)

    def rounds() -> Result:
        result = Result()
        for number, value in enumerate(words, 1):
            if WHOLE.fullmatch(value):
                result = _unknown_round(shell, node, value)
            else:
                run.environment.set(node.name, value)
                with run.on_occasion(f"in round {number} ({node.name}={shown(value)})"):
                    result = shell.execute_all(node.body)
            ended = _ended(shell, result)
            if ended is not None:
                return ended
            result = result._replace(flow=Flow.GO)
        return result

    return _looping(shell, rounds)


def _unknown_round(shell: Interpreter, node: t.For, value: str) -> Result:
    text = f"for {node.name} in {shown(value)}"
    place = Span(shell.span(node).source, node.start, node.start + 3)
    truth = loop_truth(shell, text, node.words or ())
    condition = Condition(text, shell.run.text.span or place, truth)

    def body() -> Result:
        shell.run.environment.set(node.name, mark(f"${node.name}"))
        return shell.execute_all(node.body)

    return repeated(shell, condition, body)


def repeated(shell: Interpreter, condition: Condition, body: Action) -> Result:
    """Nobody knows how often: what changes from round to round is not known in any."""
    run = shell.run
    then, before = run.checkpoint(), run.environment
    run.environment = before.copy()
    run.scopes.append(Scope(Flow.BREAK, run.guards))
    run.rounds += 1
    try:
        body()
    finally:
        run.rounds -= 1
        run.scopes.pop()
        after, run.environment = run.environment, before
        run.back_to(then)
    for name in {*after.variables, *before.variables}:
        if after.variables.get(name) != before.variables.get(name):
            before.set(name, mark(f"${name}"))

    def rounds() -> Result:
        run.rounds += 1
        try:
            return body()
        finally:
            run.rounds -= 1

    return run_alternatives(shell, [Alternative(condition, rounds)], complete=False)


def _looping(shell: Interpreter, rounds: Callable[[], Result]) -> Result:
    run = shell.run
    scope = Scope(Flow.BREAK, run.guards)
    run.scopes.append(scope)
    try:
        result = rounds()
    finally:
        run.scopes.pop()
    lefts = [*scope.left, *scope.left_in_round]
    if lefts:
        run.environment.take(at_the_end(lefts, run.environment))
    return result


def while_(shell: Interpreter, node: t.While) -> Result:
    returned = _times_returned(shell)

    def rounds() -> Result:
        result = Result()
        before: object = None
        for number in range(1, MAX_ROUNDS + 1):
            with shell.run.within_condition():
                asked = shell.execute_all(node.condition)
            if asked.status is None:
                last = node.condition[-1] if node.condition else node
                condition = shell.condition(last, asked, "until " if node.until else "while ")
                if node.until:
                    condition = replace(condition, truth=opposite(condition.truth))
                return repeated(shell, condition, lambda: _round(shell, node))
            if (asked.status == 0) is node.until:
                return result
            state = shell.run.environment.arguments, dict(shell.run.environment.variables)
            if _is_lost(shell, node, number, changes=state != before):
                return _for_some_time(shell, node, returned)
            before = state
            with shell.run.on_occasion(f"in round {number}"):
                result = shell.execute_all(node.body)
            ended = _ended(shell, result)
            if ended is not None:
                return ended
            result = result._replace(flow=Flow.GO)
        raise TooMuchError

    return _looping(shell, rounds)


def _times_returned(shell: Interpreter) -> int:
    """How often the function that runs may have been left."""
    functions = (scope for scope in reversed(shell.run.scopes) if scope.kind is Flow.RETURN)
    function = next(functions, None)
    return 0 if function is None else len(function.departures)


def _is_lost(shell: Interpreter, node: t.While, number: int, *, changes: bool) -> bool:
    """Whether it is no use to follow the next round by itself. ``changes``: something is not as it
    was a round before."""
    departures = len(shell.run.scopes[-1].departures)
    most = MAX_CHANGING_ROUNDS if changes else MAX_ENDLESS_ROUNDS
    return departures >= MAX_DEPARTURES or (number > most and _is_endless(node))


def _is_endless(node: t.While) -> bool:
    """``while true`` and its like, which people end with a break, or never."""
    match node.condition:
        case (t.Command(words=(t.Word(parts=(t.Text(text),)),)),):
            return text in ("false",) if node.until else text in ("true", ":")
        case (t.Test((t.Word(parts=(t.Text(),)),)),):  # `[ 1 ]`, and so is `[ 0 ]`
            return not node.until
        case (t.Calculation(text),):
            return not node.until and bool(c_number(text.strip()))
        case _:
            return False


def _for_some_time(shell: Interpreter, node: t.While, returned: int) -> Result:
    """The rounds that are left. What nothing in it ends goes on as long as the script runs.
    ``returned``: how often the function may have been left before: what else ends the loop, ends
    that."""
    text = f"in a later round of {shell.line(node.condition[-1], 'while ')}"
    condition = Condition(text, shell.span(node.condition[-1]), loop_truth(shell, text))
    may_end = bool(shell.run.scopes[-1].departures)
    result = repeated(shell, condition, lambda: _round(shell, node))
    if may_end or result.flow is not Flow.GO:
        return result
    left = _times_returned(shell) > returned
    return Result(None, Flow.RETURN) if left else Result(0, Flow.EXIT)


def _round(shell: Interpreter, node: t.While) -> Result:
    with shell.run.within_condition():
        shell.execute_all(node.condition)
    return shell.execute_all(node.body)


def counting(shell: Interpreter, node: t.CountingFor) -> Result:
    arithmetic.calculated(node.initial, shell.run.environment)

    def rounds() -> Result:
        result = Result()
        for number in range(1, MAX_ROUNDS + 1):
            value = arithmetic.calculated(node.condition or "1", shell.run.environment)
            if value is None:
                text = f"while {node.condition}"
                condition = Condition(text, shell.span(node), loop_truth(shell, text))
                return repeated(shell, condition, lambda: _counted(shell, node))
            if value == 0:
                return result
            with shell.run.on_occasion(f"in round {number}"):
                result = _counted(shell, node)
            ended = _ended(shell, result)
            if ended is not None:
                return ended
            result = result._replace(flow=Flow.GO)
        raise TooMuchError

    return _looping(shell, rounds)


def _counted(shell: Interpreter, node: t.CountingFor) -> Result:
    result = shell.execute_all(node.body)
    arithmetic.calculated(node.update, shell.run.environment)
    return result


def _ended(shell: Interpreter, result: Result) -> Result | None:
    """What a round of a loop that ended otherwise makes of the loop; None: it goes on."""
    run, scope = shell.run, shell.run.scopes[-1]
    scope.of_round.clear()
    if scope.left_in_round:
        run.environment.take(at_the_end(scope.left_in_round, run.environment))
        scope.left_in_round.clear()
    match result.flow:
        case Flow.GO:
            return None
        case Flow.BREAK | Flow.CONTINUE if result.levels > 1:
            return result._replace(levels=result.levels - 1)
        case Flow.CONTINUE:
            return None
        case Flow.BREAK:
            return Result()
        case _:
            return result
