"""Lists, pipelines, ``if`` and ``case``."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial

from iptlint.dialects.script import arithmetic
from iptlint.dialects.script import tree as t
from iptlint.dialects.script.asking import (
    Fits,
    Subject,
    asked_of,
    fits_item,
    truth_of_item,
    truth_of_test,
)
from iptlint.dialects.script.branches import Alternative, run_alternatives
from iptlint.dialects.script.builtins import status_of
from iptlint.dialects.script.calls import in_subprocess
from iptlint.dialects.script.conditions import holds
from iptlint.dialects.script.endings import at_the_end_of
from iptlint.dialects.script.generated_text import Condition
from iptlint.dialects.script.interpreter import Interpreter
from iptlint.dialects.script.not_understood import Reason
from iptlint.dialects.script.simple_commands import with_redirects
from iptlint.dialects.script.state import Flow, Result
from iptlint.dialects.script.streams import Input, Output
from iptlint.dialects.script.surroundings import surroundings
from iptlint.dialects.script.symbolic_text import is_known, mark
from iptlint.dialects.script.truths import all_of, any_of, doubt, opposite

_GOES_ON = re.compile(r"\b(?:while|until|sleep|wait|inotifywait)\b")
_FIREWALL = re.compile(r"ip6?tables|\bipset\b|\bnft\b|\$\{?IP6?T")


def listing(shell: Interpreter, node: t.Listing) -> Result:
    with shell.run.within_condition():
        result = shell.execute(node.first)
    last: t.Node = node.first
    for number, (operator, statement) in enumerate(node.rest, 1):
        follow = shell.execute if number == len(node.rest) else partial(_asked, shell)
        if result.flow is not Flow.GO:
            return result
        if result.status is None:
            success = shell.condition(last, result)
            result = _perhaps(shell, success, statement, follow, succeeded=operator == "&&")
        elif (result.status == 0) == (operator == "&&"):
            result = follow(statement)
        last = statement
    return result


def _asked(shell: Interpreter, statement: t.Statement) -> Result:
    with shell.run.within_condition():
        return shell.execute(statement)


def _perhaps(
    shell: Interpreter,
    success: Condition,
    statement: t.Statement,
    follow: Callable[[t.Statement], Result],
    *,
    succeeded: bool,
) -> Result:
    """The statement where what is before it succeeded, or where it did not; what comes of both."""
    results: list[Result] = []

    def action() -> Result:
        results.append(follow(statement))
        return results[-1]

    condition = success if succeeded else success.opposite()
    result = run_alternatives(shell, [Alternative(condition, action)], complete=False)
    if not results:  # what is before it cannot end so here
        return result._replace(status=0 if not succeeded else 1)
    if result.flow is not Flow.GO:
        return result
    if results[0].flow is not Flow.GO:
        return Result(1 if succeeded else 0)
    if results[0].status is None:
        truths = success.truth, shell.condition(statement, results[0]).truth
        return Result(None, truth=all_of(truths) if succeeded else any_of(truths))
    if (results[0].status == 0) is succeeded:
        return Result(None, truth=success.truth)
    return Result(results[0].status)


def negated(shell: Interpreter, node: t.Negated) -> Result:
    with shell.run.within_condition():
        result = shell.execute(node.body)
    if result.status is None:
        return result._replace(truth=opposite(shell.condition(node.body, result).truth))
    return result._replace(status=1 if result.status == 0 else 0)


def group(shell: Interpreter, node: t.Group) -> Result:
    if not node.subshell:
        return shell.execute_all(node.body)
    with shell.run.subshell():
        shell.run.environment.traps = {}
        result = in_subprocess(shell, lambda: shell.execute_all(node.body))
        at_the_end_of(shell)
        return result


def pipeline(shell: Interpreter, node: t.Pipeline) -> Result:
    run = shell.run
    stdin, result = run.stdin, Result()
    statuses: list[int | None] = []
    for index, member in enumerate(node.members):
        last = index == len(node.members) - 1
        printed = Output(run.conditions())
        stdout = run.stdout if last else printed
        with run.subshell(), run.streams(stdin, stdout):
            result = in_subprocess(shell, partial(_member, shell, member, last=last))
        statuses.append(result.status)
        stdin = Input(tuple(printed.parts))
    known = (mark("$?") if status is None else str(status) for status in statuses)
    run.environment.set("PIPESTATUS", tuple(known))
    if "pipefail" not in run.environment.settings or not any(statuses[:-1]):
        return result
    return Result(next(status for status in reversed(statuses) if status != 0))


def _member(shell: Interpreter, member: t.Statement, *, last: bool) -> Result:
    """Of a pipeline: it ends the script only where its status is that of all of it."""
    return shell.execute(member) if last else _asked(shell, member)


def background(shell: Interpreter, node: t.Background) -> Result:
    """What goes on for a time of its own is noted; else nobody needs to wait for it long."""
    text = shell.run.text.source.text[node.start : node.end]
    if not _GOES_ON.search(text):
        with shell.run.subshell():
            in_subprocess(shell, partial(_asked, shell, node.body))
    elif _FIREWALL.search(text):
        span = shell.span(node)
        shell.run.note(Reason.LATER, span, shell.line(node)[:40])
        shell.run.commands.add((span.source.path, span.start, span.end))
    return Result()


def unread(shell: Interpreter, node: t.Unread) -> Result:
    text = shell.run.text.source.text[node.start : node.end]
    if _FIREWALL.search(text):
        span = shell.span(node)
        shell.run.note(Reason.UNREAD, span, shell.line(node)[:40])
        shell.run.commands.add((span.source.path, span.start, span.end))
    return Result(None)


def salvaged(shell: Interpreter, node: t.Salvaged) -> Result:
    """Perhaps it is carried out, in a loop or a function, and with any variables."""
    shell.run.environment.open = True
    text = "the shell can read this"
    condition = Condition(text, shell.span(node), doubt(text))
    alternative = Alternative(condition, lambda: shell.execute_all(node.body))
    return run_alternatives(shell, [alternative], complete=False)


def if_(shell: Interpreter, node: t.If) -> Result:
    return _branches(shell, node, 0)


def _branches(shell: Interpreter, node: t.If, index: int) -> Result:
    if index == len(node.branches):
        return Result() if node.otherwise is None else shell.execute_all(node.otherwise)
    branch = node.branches[index]
    with shell.run.within_condition():
        result = shell.execute_all(branch.condition)
    if result.flow is not Flow.GO:
        return result
    if result.status is not None:
        return (
            shell.execute_all(branch.body)
            if result.status == 0
            else _branches(shell, node, index + 1)
        )
    last = branch.condition[-1] if branch.condition else branch
    condition = shell.condition(last, result)
    alternatives = [Alternative(condition, lambda: shell.execute_all(branch.body))]
    if index + 1 < len(node.branches) or node.otherwise is not None:
        other = condition.opposite()
        alternatives.append(Alternative(other, lambda: _branches(shell, node, index + 1)))
        return run_alternatives(shell, alternatives, complete=True)
    return run_alternatives(shell, alternatives, complete=False)


def case(shell: Interpreter, node: t.Case) -> Result:
    return _from(shell, node, asked_of(shell, node.subject), 0)


def _from(shell: Interpreter, node: t.Case, subject: Subject, start: int) -> Result:
    """The first item that fits, of those from this one on."""
    alternatives: list[Alternative] = []
    fitting: list[Fits] = []
    for index, item in enumerate(node.items[start:], start):
        answer = _fits(shell, item, subject.text)
        if answer is False:
            continue
        if answer and not alternatives:
            return _item(shell, node, subject, index)
        fits = fits_item(shell, item, subject)
        truth = truth_of_item(fits, fitting)
        fitting.append(fits)
        text = f"if {shell.line(node.subject)} is {shell.line(item.patterns[0])}"
        condition = Condition(text, shell.span(item.patterns[0]), truth)
        alternatives.append(Alternative(condition, partial(_item, shell, node, subject, index)))
        if answer:
            return run_alternatives(shell, alternatives, complete=True)
    return run_alternatives(shell, alternatives, complete=False) if alternatives else Result()


def _fits(shell: Interpreter, item: t.CaseItem, subject: str) -> bool | None:
    answers = [_fits_one(shell, pattern, subject) for pattern in item.patterns]
    return True if True in answers else None if None in answers else False


def _fits_one(shell: Interpreter, word: t.Word, subject: str) -> bool | None:
    pattern = shell.expander().pattern(word)
    if pattern is None:
        return None
    if pattern.pattern == ".*":
        return True
    return pattern.fullmatch(subject) is not None if is_known(subject) else None


def _item(shell: Interpreter, node: t.Case, subject: Subject, index: int) -> Result:
    item = node.items[index]
    result = shell.execute_all(item.body)
    if result.flow is not Flow.GO or index + 1 == len(node.items):
        return result
    if item.falls:
        return _item(shell, node, subject, index + 1)
    return _from(shell, node, subject, index + 1) if item.asks_on else result


def test(shell: Interpreter, node: t.Test) -> Result:
    expander = shell.expander()
    given = (
        [expander.text(word) for word in node.words] if node.double else expander.fields(node.words)
    )
    around = surroundings(shell.expander(), node.words if node.double else ())
    status = status_of(holds(given, around, double=node.double))
    if status is not None:
        return Result(status)
    return Result(None, truth=truth_of_test(shell, node, node.words, double=node.double))


def calculation(shell: Interpreter, node: t.Calculation) -> Result:
    value = arithmetic.calculated(node.text, shell.run.environment)
    return Result(status_of(None if value is None else value != 0))


def define(shell: Interpreter, node: t.Function) -> Result:
    shell.run.environment.functions[node.name] = (shell.run.text.source, node.body)
    return Result()


def redirected(shell: Interpreter, node: t.Redirected) -> Result:
    return with_redirects(shell, node.redirects, lambda _: shell.execute(node.body))
