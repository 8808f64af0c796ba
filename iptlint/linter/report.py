"""What the linter hands back."""

from __future__ import annotations

from dataclasses import dataclass

from iptlint.benchmark.table import Judged
from iptlint.dialects import Reading
from iptlint.findings import Finding
from iptlint.model import Family


@dataclass(frozen=True, slots=True)
class LintedFile:
    """``family``: ip, ip6, inet for both, None where nothing could be read."""

    path: str
    dialect: str
    family: str | None
    rules: int
    opaque: int

    @classmethod
    def of(cls, reading: Reading) -> LintedFile:
        ruleset = reading.ruleset
        families = [name for name in ("ip", "ip6") if ruleset.sees(Family(name))]
        families = families or [family.value for family in ruleset.families]
        return cls(
            ruleset.source.path,
            ruleset.dialect,
            "inet" if len(families) > 1 else next(iter(families), None),
            sum(1 for table in ruleset.tables for _ in table.statements()),
            reading.opaque,
        )


@dataclass(frozen=True, slots=True)
class Report:
    """``findings`` are sorted by path, line and code; ``crashed``: a rule or reader failed.
    ``items``: those of the benchmarks, where the profile asks for them."""

    files: tuple[LintedFile, ...]
    findings: tuple[Finding, ...]
    suppressed: int
    crashed: bool
    items: tuple[Judged, ...] | None = None
