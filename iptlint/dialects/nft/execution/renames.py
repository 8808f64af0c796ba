"""Jumps to a chain follow it when it gets another name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from iptlint.dialects.nft import tree as t
from iptlint.dialects.nft.tables import ElementsChange, OpenTable, PlacedRule
from iptlint.dialects.nft.walking import rebuilt


def rename_jumps(table: OpenTable, renamed: Mapping[str, str]) -> None:
    """``renamed``: the new names by old ones. A name that a chain has again is not changed."""
    names = {old: new for old, new in renamed.items() if old not in table.chains}
    if not names:
        return

    def change(node: Any) -> Any:
        match node:
            case t.Verdict(chain=t.Value(text) as chain) if text in names:
                return replace(node, chain=replace(chain, text=_last(text, names)))
        return rebuilt(node, change)

    for each in table.chains.values():
        each.rules = [PlacedRule(r.source, change(r.rule), r.handle) for r in each.rules]
    for open_set in table.sets.values():
        open_set.changes = [ElementsChange(c.adds, change(c.elements)) for c in open_set.changes]


def _last(name: str, names: Mapping[str, str]) -> str:
    """A chain may be renamed more than once, and back."""
    for _ in range(len(names)):
        name = names.get(name, name)
    return name
