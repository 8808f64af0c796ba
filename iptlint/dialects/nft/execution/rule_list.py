"""The rules of a chain while commands put them in and take them out."""

from __future__ import annotations

from collections.abc import Sequence

from iptlint.dialects.nft.tables import PlacedRule


class RuleList:
    """In the order of the chain, at no cost that grows with the rules that are there.

    Only what names a rule by where it stands has to look at the others.
    """

    def __init__(self) -> None:
        self._inserted: list[PlacedRule] = []  # at the front; the last one comes first
        self._rules: list[PlacedRule] = []
        self._gone: set[PlacedRule] = set()
        self._handles: dict[int, PlacedRule] = {}

    def append(self, rule: PlacedRule) -> None:
        self._rules.append(self._known(rule))

    def prepend(self, rule: PlacedRule) -> None:
        self._inserted.append(self._known(rule))

    def put(self, index: int, rule: PlacedRule) -> None:
        """Before the rule with this index, which counts from 0."""
        self._settle()
        self._rules.insert(index, self._known(rule))

    def replace(self, old: PlacedRule, new: PlacedRule) -> None:
        self.put(self.index(old), new)
        self.remove(old)

    def remove(self, rule: PlacedRule) -> None:
        self._gone.add(rule)
        if rule.handle is not None:
            self._handles.pop(rule.handle, None)

    def with_handle(self, handle: int) -> PlacedRule | None:
        return self._handles.get(handle)

    def index(self, rule: PlacedRule) -> int:
        return self.all().index(rule)

    def all(self) -> Sequence[PlacedRule]:
        self._settle()
        return self._rules

    def _known(self, rule: PlacedRule) -> PlacedRule:
        if rule.handle is not None:
            self._handles[rule.handle] = rule
        return rule

    def _settle(self) -> None:
        if self._inserted:
            self._rules = [*reversed(self._inserted), *self._rules]
            self._inserted = []
        if self._gone:
            self._rules = [rule for rule in self._rules if rule not in self._gone]
            self._gone = set()
