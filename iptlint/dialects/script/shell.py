"""Works through a script, statement by statement, without running any of it.

Where it is known which way the shell goes, that way is taken. Where it is not, all ways are,
one after the other, and what their commands do is possible only (``Run.guards``); what the
variables are after that is known where all ways agree, and else one of several values. A way that
gives up (``exit 1``) is taken to be the one that is not taken.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from iptlint.dialects.diagnostics import Diagnostic
from iptlint.dialects.script import compound_commands, loops, simple_commands
from iptlint.dialects.script import tree as t
from iptlint.dialects.script.asking import truth_of
from iptlint.dialects.script.brace_expansion import MAX_BRACES
from iptlint.dialects.script.calls import in_subprocess, run_function
from iptlint.dialects.script.choosing import for_each, undecided
from iptlint.dialects.script.endings import ENDS, at_the_end_of, ended_by
from iptlint.dialects.script.generated_text import Condition
from iptlint.dialects.script.state import MAX_STATEMENTS, TEMPORARY, Flow, Result, Run, TooMuchError
from iptlint.dialects.script.streams import Output
from iptlint.dialects.script.symbolic_text import mark
from iptlint.dialects.script.tool_calls import Call
from iptlint.dialects.script.word_expansion import Expander
from iptlint.source import Span

_LONGEST = 60


class Shell:
    def __init__(self, run: Run) -> None:
        self.run = run

    def execute_script(self, statements: Sequence[t.Statement]) -> None:
        """A script; one that only defines functions is for something that calls ``start``."""
        self.execute_all(statements)
        at_the_end_of(self)
        start = self.run.environment.functions.get("start")
        if start is not None and not self.run.steps:
            span = Span(start[0], start[1].start, start[1].start)
            run_function(self, Call(("start",), (span,), span), *start)

    def execute_all(self, statements: Sequence[t.Statement]) -> Result:
        result = Result(self.run.status)
        for statement in statements:
            result = self.execute(statement)
            if result.flow is not Flow.GO:
                return result
        return result

    def execute(self, statement: t.Statement) -> Result:
        run = self.run
        run.statements += 1
        if run.statements > MAX_STATEMENTS:
            raise TooMuchError
        work = partial(_STATEMENTS[type(statement)], self, statement)
        names = undecided(self, statement)
        result = for_each(self, names, work) if names else work()
        run.status = result.status
        return ended_by(self, statement, result)

    def span(self, node: t.Node) -> Span:
        return self.run.text.place(node.start, node.end)

    def line(self, node: t.Node, prefix: str = "") -> str:
        inside = self.run.text.span
        whole = self.run.text.source.text[node.start : node.end]
        text = " ".join((whole if inside is None else inside.text).split())
        return prefix + (text if len(text) <= _LONGEST else text[:_LONGEST] + "…")

    def condition(self, node: t.Node, result: Result, word: str = "if ") -> Condition:
        truth = result.truth or truth_of(self, self.line(node))
        return Condition(self.line(node, word), self.span(node), truth)

    def expander(self) -> Expander:
        text = self.run.text.source.text
        return Expander(
            self.run.environment, self._output, self._file, self._excess, text, self.run.expand
        )

    def _excess(self, word: t.Word) -> None:
        span = self.span(word)
        message = (
            f"`{self.line(word)}` is more than {MAX_BRACES} words: what is done with them is not "
            "followed one by one"
        )
        advice = "a range of ports (`--dport 1:65535`), a network or a set is one rule"
        diagnostic = Diagnostic(
            "IPT010", "warning", span.start, span.end, message, advice, span.source
        )
        self.run.diagnostics.append(diagnostic)

    def _file(self, node: t.Printed) -> str:
        run = self.run
        output = Output(run.conditions())
        with run.subshell(), run.streams(None, output), run.within_condition():
            in_subprocess(self, lambda: self.execute_all(node.body))
        name = f"{TEMPORARY}fd.{node.start}"
        run.written[name] = tuple(output.parts)
        return name

    def _output(self, node: t.Substitution) -> str:
        """What a substitution prints."""
        run = self.run
        output = Output(run.conditions())
        with run.subshell(), run.streams(run.stdin, output):
            run.environment.settings -= ENDS  # a substitution of bash goes on
            status = self.execute_all(node.body).status
        run.status = status
        run.outputs += 1
        text = output.text.rstrip("\n")
        return text if output.is_sure else mark(self.line(node))


_STATEMENTS: dict[type, Callable[[Shell, Any], Result]] = {
    t.Command: simple_commands.command,
    t.Test: compound_commands.test,
    t.Calculation: compound_commands.calculation,
    t.Pipeline: compound_commands.pipeline,
    t.Negated: compound_commands.negated,
    t.Listing: compound_commands.listing,
    t.If: compound_commands.if_,
    t.Case: compound_commands.case,
    t.For: loops.for_,
    t.CountingFor: loops.counting,
    t.While: loops.while_,
    t.Function: compound_commands.define,
    t.Group: compound_commands.group,
    t.Redirected: compound_commands.redirected,
    t.Background: compound_commands.background,
    t.Salvaged: compound_commands.salvaged,
    t.Unread: compound_commands.unread,
}
"""What a statement does."""
