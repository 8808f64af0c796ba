"""Rules that a script writes into a file, and leaves to something else to load."""

from __future__ import annotations

from collections import Counter
from pathlib import PurePosixPath

from iptlint.dialects.detect import IPTABLES_SAVE, NFT, detect
from iptlint.dialects.script.state import Run
from iptlint.dialects.script.steps import Step
from iptlint.dialects.script.symbolic_text import is_known
from iptlint.dialects.script.tool_calls import Call
from iptlint.dialects.script.tools import tool_of
from iptlint.model.names import is_of_ipv6
from iptlint.model.script import Kind
from iptlint.source import SourceFile


def load_written(run: Run) -> None:
    """Loads them at the end, where no command of the script changes the firewall itself. Of several
    files for one family nobody knows which one is loaded."""
    if any(step.kind is Kind.CHANGE for step in run.steps):
        return
    commands = {name: command for name in run.rule_files if (command := _command(run, name))}
    count = Counter(command[0] for command in commands.values())
    for name, words in commands.items():
        parts = run.written[name]
        if parts and count[words[0]] == 1:
            span = parts[0].span
            called = tool_of(Call(words, (span,) * len(words), span))
            if called is not None:
                tool, call = called
                tool(run, call)
                kept = frozenset(family for step in run.steps for family in step.changed)
                run.add(Step(span, Kind.SAVE, words, run.conditions(), run.calls, saves=kept))


def _command(run: Run, name: str) -> tuple[str, ...]:
    """What loads the file; empty where that is not known, or it is no file of rules."""
    parts = run.written.get(name)
    if parts is None or not is_known(name):
        return ()
    dialect = detect(SourceFile(name, "".join(part.text for part in parts))).name
    if dialect == NFT:
        return ("nft", "-f", name)
    six = is_of_ipv6(PurePosixPath(name).name)
    return (f"ip{'6' * six}tables-restore", name) if dialect == IPTABLES_SAVE else ()
