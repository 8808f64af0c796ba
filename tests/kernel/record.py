"""What was put to the kernel and judged, added up over all tests."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

PROPERTY = "kernel: "
"""How the names start of the properties of a test that are records."""


@dataclass
class Record:
    """What was judged. ``unjudged``: why witnesses did not count."""

    rulesets: int = 0
    packets: int = 0
    said: Counter[str] = field(default_factory=Counter)
    witnesses: int = 0
    unjudged: Counter[str] = field(default_factory=Counter)

    def __str__(self) -> str:
        said = ", ".join(f"{count} {status}" for status, count in self.said.most_common())
        lines = [
            f"{self.rulesets} rulesets; rules: {said}; {self.packets} packets, "
            f"{self.witnesses} of them witnesses that matched; not judged:"
        ]
        lines += [f"  {count} {why}" for why, count in self.unjudged.most_common()]
        return "\n".join(lines)

    def add(self, numbers: dict[str, Any]) -> None:
        self.rulesets += numbers["rulesets"]
        self.packets += numbers["packets"]
        self.witnesses += numbers["witnesses"]
        self.said.update(numbers["said"])
        self.unjudged.update(numbers["unjudged"])

    def as_text(self) -> str:
        """So it gets from one process to another."""
        return json.dumps(vars(self))


def totals(reports: Iterable[Any]) -> dict[str, Record]:
    """By name, over all tests that these are the reports of."""
    found: dict[str, Record] = {}
    for report in reports:
        if getattr(report, "when", None) == "teardown":
            for name, value in report.user_properties:
                if name.startswith(PROPERTY):
                    record = found.setdefault(name.removeprefix(PROPERTY), Record())
                    record.add(json.loads(value))
    return found
