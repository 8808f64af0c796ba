"""What the linter hands back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from iptlint.analysis.bridge_ports import not_followed
from iptlint.dialects import Reading
from iptlint.findings import Finding
from iptlint.model import Family, Ruleset

if TYPE_CHECKING:
    from iptlint.analysis.overview import Overview
    from iptlint.benchmark.table import Judged


@dataclass(frozen=True, slots=True)
class LintedFile:
    """``family``: ip, ip6, inet for both, None where nothing could be read. ``notes``: what no
    rule looks at."""

    path: str
    dialect: str
    family: str | None
    rules: int
    opaque: int
    notes: tuple[str, ...] = ()

    @classmethod
    def of(cls, reading: Reading) -> LintedFile:
        return cls.of_ruleset(reading.ruleset, reading.opaque)

    @classmethod
    def of_ruleset(cls, ruleset: Ruleset, opaque: int = 0) -> LintedFile:
        families = [name for name in ("ip", "ip6") if ruleset.sees(Family(name))]
        families = families or [family.value for family in ruleset.families]
        return cls(
            ruleset.source.path,
            ruleset.dialect,
            "inet" if len(families) > 1 else next(iter(families), None),
            sum(1 for table in ruleset.tables for _ in table.statements()),
            opaque,
            (*not_followed(ruleset), *_otherwise(ruleset)),
        )


def _otherwise(ruleset: Ruleset) -> Iterator[str]:
    if ruleset.script is not None and ruleset.script.note:
        yield ruleset.script.note


@dataclass(frozen=True, slots=True)
class Report:
    """``findings`` are sorted by path, line and code; ``crashed``: a rule or reader failed.
    ``items``: those of the benchmarks, where the profile asks for them. ``each``: the findings,
    as many as there are, before those that are alike were made one. ``unfinished``: the budget
    was not enough for everything. ``overviews``: of each host one for each of its rulesets, where
    they are asked for. ``hidden``: what comments or a baseline hide. ``yielded``: what is not told
    because another finding of the same cause is."""

    files: tuple[LintedFile, ...]
    findings: tuple[Finding, ...]
    suppressed: int
    crashed: bool
    items: tuple[Judged, ...] | None = None
    each: tuple[Finding, ...] = ()
    unfinished: bool = False
    overviews: tuple[tuple[Overview, ...], ...] = ()
    hidden: tuple[Finding, ...] = ()
    yielded: tuple[Finding, ...] = ()

    def settled(self) -> Report:
        """Without what could still tell more of findings that are told as one with others: it holds
        all that the host was judged by."""
        return replace(self, each=_settled(self.each), yielded=_settled(self.yielded))


def _settled(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    return tuple(each if each.later is None else replace(each, later=None) for each in findings)
