"""The conditions that a script asks: which of them are one, asked again."""

from __future__ import annotations

from collections.abc import Hashable

from iptlint.dialects.script.symbolic_text import shown
from iptlint.dialects.script.truths import all_of, opposite
from iptlint.model import Decided, Match


class Decisions:
    """Those of one run. A key names one decision: what is asked again where nothing changed that
    it reads has the key that it had."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}
        self._keys: dict[Hashable, str] = {}
        self._values: dict[Hashable, list[str]] = {}

    def fresh(self, text: str) -> Match:
        """What was not asked before."""
        count = self._counts[text] = self._counts.get(text, 0) + 1
        return Decided(text if count == 1 else f"{text} ({count})")

    def again(self, text: str, state: Hashable) -> Match:
        """What is the same wherever it is asked in this state."""
        key = self._keys.get(state)
        if key is None:
            truth = self.fresh(text)
            assert isinstance(truth, Decided)
            key = self._keys[state] = truth.key
        return Decided(key)

    def equals(self, subject: str, value: str, state: Hashable) -> Match:
        """That the subject is the value; it is not two of them."""
        values = self._values.setdefault((subject, state), [])
        if value not in values:
            values.append(value)
        name = shown(subject)
        each = [
            self.again(f"{name} = {one or '(empty)'}", (subject, state, one))
            for one in values[: values.index(value) + 1]
        ]
        truth = all_of((*map(opposite, each[:-1]), each[-1]))
        assert truth is not None
        return truth
