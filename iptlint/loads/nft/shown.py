"""Commands that show something, or start it anew: what they name has to be there all the same."""

from __future__ import annotations

from iptlint.dialects.nft import tree as t
from iptlint.dialects.nft.execution.state import BlockContext
from iptlint.loads.nft import checks
from iptlint.loads.nft.lookup import Lookup
from iptlint.loads.nft.trial import Trial


class ShownTrial:
    def __init__(self, lookup: Lookup, trial: Trial) -> None:
        self._lookup = lookup
        self._trial = trial

    def look(self, command: t.Command, context: BlockContext) -> None:
        """Of the table, and of what is named in it. Without a name all of a kind is shown."""
        table = self._lookup.table(command, context) if command.path else None
        if table is None or len(command.path) < 2:
            return
        kind = "set" if command.kind == "element" else command.kind
        if not table.has(kind, command.path[1].text):
            name = command.path[1]
            self._lookup.missing(command, context, name, kind, table.whole, checks.NO_OBJECT)
        elif command.kind == "element" and not table.sets[command.path[1].text].listed:
            self._trial.refuse(
                checks.MISSING,
                context,
                command.path[1],
                f"the kernel has no elements of {command.path[1].text} yet, which this file makes",
                "get elements once the file is loaded",
            )

    def meter(self, command: t.Command, context: BlockContext) -> None:
        """None that this file makes: nft knows those only that were there before."""
        table = self._lookup.table(command, context)
        if table is None or len(command.path) < 2:
            return
        name = command.path[1]
        known = table.sets.get(name.text)
        if known is None or (known.declared is not None and not known.listed):
            self._lookup.missing(command, context, name, "meter", table.whole, checks.NO_OBJECT)

    def reset(self, command: t.Command, context: BlockContext) -> None:
        """The kernel looks for an object before it makes those of the same file."""
        table = self._lookup.table(command, context) if command.path else None
        if table is None or len(command.path) < 2:
            return
        name = command.path[1]
        if (command.kind, name.text) not in table.listed:
            self._lookup.missing(command, context, name, command.kind, table.whole)
