"""What a command names: whether it is there by then."""

from __future__ import annotations

from iptlint.dialects.nft import tree as t
from iptlint.dialects.nft.execution.state import BlockContext
from iptlint.loads.nft import checks
from iptlint.loads.nft.state import Key, KnownTable, Tables
from iptlint.loads.nft.trial import Trial
from iptlint.loads.refusal import Check
from iptlint.model import Family


class Lookup:
    def __init__(self, tables: Tables, trial: Trial) -> None:
        self._tables = tables
        self._trial = trial

    def table(self, command: t.Command, context: BlockContext) -> KnownTable | None:
        """None where there is none, which is told."""
        key = key_of(command)
        table = self._tables.get(key)
        if table is None:
            is_gone = self._tables.is_gone(key)
            self.missing(command, context, command.path[0], "table", is_gone, checks.NO_TABLE)
        return table

    def missing(
        self,
        command: t.Command,
        context: BlockContext,
        name: t.Value,
        kind: str,
        whole: bool,
        check: Check = checks.MISSING,
    ) -> None:
        family = command.family or "ip"
        if kind == "table" and not whole:
            self._tables.asked_for.setdefault(key_of(command), len(self._trial.refusals))
        place = "" if kind == "table" else f" in table {family} {command.path[0].text}"
        called = f"{family} {name.text}" if kind == "table" else name.text
        self._trial.refuse(
            check,
            context,
            name,
            f"there is no {kind} {called}{place} at this point",
            f"declare it before this line: `add {kind} {called}{place and ' …'}`",
            missing=not whole,
        )


def key_of(command: t.Command) -> Key:
    return Family(command.family or "ip"), command.path[0].text
