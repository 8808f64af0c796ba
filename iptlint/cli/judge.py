"""One host, judged as the command line and the configuration say."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import click

from iptlint.cli import formats, options
from iptlint.cli.inputs import read_inputs
from iptlint.cli.overrides import Override, all_adjusted, of_files

if TYPE_CHECKING:
    from iptlint.dialects import Reader
    from iptlint.linter.report import Report
    from iptlint.model import Family
    from iptlint.source import SourceFile


@dataclass(frozen=True, slots=True)
class Judge:
    """Looks at the files of one host. ``tell`` is told what it is at. ``in_full``: each finding
    says all there is, also one that is told as one with others: a baseline may hide those.
    ``most_told``: so many findings do, where no more are shown."""

    reader: Reader
    sets: tuple[SourceFile, ...]
    asked: options.Asked
    overrides: tuple[Override, ...]
    most_bytes: int
    tell: Callable[[str], None] | None = None
    in_full: bool = False
    most_told: int | None = None

    def report(self, host: tuple[SourceFile, ...]) -> Report:
        from iptlint.analysis.session import Settings
        from iptlint.linter.budget import silent
        from iptlint.linter.run import lint
        from iptlint.rules.registry import Profile

        asked = self.asked
        concerned = self._concerned(host)
        ports = [each.ssh_ports for each in concerned if each.ssh_ports]
        networks = [each.management_networks for each in concerned if each.management_networks]
        addresses = [each.host_addresses for each in concerned if each.host_addresses]
        report = lint(
            host,
            Settings(
                [asked.ssh_ports or (22,), *ports][-1],
                [asked.management_networks, *networks][-1],
                [asked.host_addresses, *addresses][-1],
            ),
            asked.select,
            asked.ignore,
            self.reader,
            (*self.sets, *self.sets_for(host)),
            Profile(asked.profile),
            budget=replace(asked.budget, findings=None, told=None if concerned else self.most_told),
            suppress=not asked.no_suppressions,
            families=self._families(host),
            tell=self.tell or silent,
            overview=formats.has_overview(asked),
        )
        each = tuple(f.told() for f in report.each) if self.in_full else report.each
        return replace(
            report,
            findings=all_adjusted(concerned, report.findings),
            each=all_adjusted(concerned, each),
        )

    def settings_for(self, host: Sequence[SourceFile]) -> tuple[object, ...]:
        """Whatever makes a difference to what is found, but for the texts and what they lead to.
        What it is made of has a ``repr`` that tells all of it."""
        asked, reader = self.asked, self.reader
        return (
            *(asked.select, asked.ignore, asked.profile, asked.ssh_ports),
            *(asked.management_networks, asked.host_addresses, asked.no_suppressions),
            *(asked.budget.seconds, asked.budget.memory),
            *(reader.family, reader.arguments, self._concerned(host)),
            *(self.in_full, self.most_told),
            sorted((source.path, family) for source, family in self._families(host).items()),
        )

    def sets_for(self, host: Sequence[SourceFile]) -> tuple[SourceFile, ...]:
        """Of the last override for one of the files that names some."""
        named = [each.ipset for each in self._concerned(host) if each.ipset]
        if not named:
            return ()
        inputs = read_inputs(named[-1], self.most_bytes)
        if inputs.complaints:
            raise click.ClickException("; ".join(inputs.complaints))
        return inputs.sources

    def _concerned(self, host: Sequence[SourceFile]) -> list[Override]:
        return of_files(self.overrides, [source.path for source in host])

    def _families(self, host: Sequence[SourceFile]) -> dict[SourceFile, Family]:
        from iptlint.model import Family

        return {
            source: Family(override.family)
            for override in self.overrides
            for source in host
            if override.family is not None and override.concerns(source.path)
        }
