"""What ends a script before its last line (``set -e``), and what is carried out when it ends."""

from __future__ import annotations

from dataclasses import replace

from iptlint.dialects.diagnostics import Diagnostic
from iptlint.dialects.script import tree as t
from iptlint.dialects.script.calls import evaluate
from iptlint.dialects.script.interpreter import Interpreter
from iptlint.dialects.script.iptables_execution import REFUSED
from iptlint.dialects.script.state import Flow, Result
from iptlint.dialects.script.tool_calls import Call

ENDS = frozenset({"e"})
"""``set -e``, by its letter."""


def ended_by(shell: Interpreter, statement: t.Statement, result: Result) -> Result:
    """The result, or the end of the script, where the statement has failed and nobody asked it
    whether it would."""
    run = shell.run
    failed = result.status not in (0, None) and result.flow is Flow.GO and result.sure
    if not failed or run.asking or not _counts(statement):
        return result
    trap = run.environment.traps.get("ERR")
    if trap is not None and not run.calls:
        del run.environment.traps["ERR"]  # it is not carried out for itself
        ended = evaluate(shell, Call(("eval", trap[0]), (trap[1],) * 2, trap[1]))
        run.environment.traps["ERR"] = trap
        if ended.flow is Flow.EXIT:
            return ended
    if "e" not in run.environment.settings:
        return result
    if not _is_told(shell, statement):
        _tell(shell, statement)
    return Result(result.status, Flow.EXIT)


def _is_told(shell: Interpreter, statement: t.Statement) -> bool:
    """Whether what fails in it has been told: it is a subshell."""
    last, span = shell.run.diagnostics[-1:], shell.span(statement)
    return any(
        each.source is span.source and span.start <= each.start < span.end and _ENDS in each.message
        for each in last
    )


def _counts(statement: t.Statement) -> bool:
    """Of what is made of several commands each is looked at by itself."""
    match statement:
        case t.Command() | t.Test() | t.Calculation() | t.Pipeline():
            return True
        case t.Group(subshell=subshell):
            return subshell
        case t.Redirected(body=body):
            return _counts(body)
        case _:
            return False


_ENDS = "by `set -e` that ends the script"


def _tell(shell: Interpreter, statement: t.Statement) -> None:
    """With what the tool says of the command, if that is told: it is one mistake."""
    diagnostics, span = shell.run.diagnostics, shell.span(statement)
    for index in reversed(range(len(diagnostics))):
        each = diagnostics[index]
        inside = each.source is span.source and span.start <= each.start < span.end
        if inside and each.severity == "error":
            message = f"{each.message}; {_ENDS}: what follows is not carried out"
            diagnostics[index] = replace(each, message=message)
            return
    diagnostics.append(_end(shell, statement))


def _end(shell: Interpreter, statement: t.Statement) -> Diagnostic:
    span = shell.span(statement)
    message = f"`{shell.line(statement)}` fails here, and {_ENDS}: what follows is not carried out"
    advice = "put `|| true` behind it, if it may fail"
    return Diagnostic(REFUSED, "error", span.start, span.end, message, advice, span.source)


def at_the_end_of(shell: Interpreter) -> None:
    """What ``trap … EXIT`` has asked for."""
    trap = shell.run.environment.traps.pop("EXIT", None)
    if trap is not None:
        text, span = trap
        evaluate(shell, Call(("eval", text), (span, span), span))
