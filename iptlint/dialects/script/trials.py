"""Scripts that close the firewall on trial: they wait whether somebody who gets in stops them,
and open it again if nobody does."""

from __future__ import annotations

from dataclasses import replace
from itertools import takewhile

from iptlint.dialects.script.steps import Script, Step
from iptlint.model.script import Kind
from iptlint.source import Span

_NOTE = "what it makes before it waits is checked: if nobody stops it, it takes that away again"


def without_rollback(script: Script) -> Script:
    """A script as it leaves the firewall where its trial went well."""
    made = [step for step in script.steps if step.kind is Kind.CHANGE]
    opening = len([*takewhile(_opens, reversed(made))])
    if not 0 < opening < len(made):
        return script
    last, source = made[-opening - 1].span, made[-opening - 1].span.source
    closed = any({"-P", "DROP"} <= {*step.words} for step in made[:-opening])
    end = Span(source, len(source.text), len(source.text))
    if not closed or not script.hints.waits(last, end):
        return script
    kept = script.steps[: script.steps.index(made[-opening])]
    note = f"{script.note}; {_NOTE}" if script.note else _NOTE
    return replace(script, steps=kept, note=note, is_trial=True)


def _opens(step: Step) -> bool:
    """Whether it empties chains, deletes them, or lets their policies accept."""
    emptying = {"-F", "--flush", "flush", "-X", "-Z"}
    return not emptying.isdisjoint(step.words) or {"-P", "ACCEPT"} <= {*step.words}
