"""What is wrong with a host: the rules that run, and the files that it loads at boot."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from iptlint.analysis.session import Settings
from iptlint.host.examine import Examined
from iptlint.linter.applicability import without_sshd
from iptlint.linter.budget import Budget, Tell, silent
from iptlint.linter.report import Report
from iptlint.linter.run import lint
from iptlint.model.host_addresses import IPNetwork
from iptlint.rules.registry import Profile, rule_of, selected


@dataclass(frozen=True, slots=True)
class Wanted:
    """How a host is linted. ``ssh_ports`` empty: as the host says."""

    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    profile: Profile = Profile.DEFAULT
    ssh_ports: tuple[int, ...] = ()
    management_networks: tuple[IPNetwork, ...] = ()
    budget: Budget = field(default_factory=Budget)
    suppress: bool = True


def lint_examined(
    examined: Examined, wanted: Wanted, tell: Tell = silent, *, overview: bool = False
) -> Report:
    """UnknownRuleError where no rule has one of the codes, prefixes and names."""
    host = examined.host
    ports = wanted.ssh_ports or host.facts.ssh_ports or (22,)
    without = () if wanted.ssh_ports else without_sshd(host)
    report = lint(
        host.sources,
        Settings(ports, wanted.management_networks),
        wanted.select,
        (*wanted.ignore, *without),
        examined.reader,
        examined.ipsets,
        wanted.profile,
        host,
        wanted.budget,
        suppress=wanted.suppress,
        tell=tell,
        overview=overview,
        known=examined.readings,
    )
    return _with_kept(report, _lint_kept(examined, wanted))


def _lint_kept(examined: Examined, wanted: Wanted) -> Report | None:
    """What is wrong with the files that are loaded at boot as files: what the rules in them do is
    told of those that run."""
    codes = selected(wanted.select, wanted.ignore, wanted.profile)
    about = [code for code in codes if rule_of(code).meta.about_files]
    if not examined.kept or not about:
        return None
    return lint(
        examined.kept,
        None,
        about,
        wanted.ignore,
        examined.reader,
        examined.kept_sets,
        suppress=wanted.suppress,
        known=examined.readings,
    )


def _with_kept(report: Report, kept: Report | None) -> Report:
    if kept is None:
        return report
    return replace(
        report,
        files=(*report.files, *kept.files),
        findings=(*report.findings, *kept.findings),
        suppressed=report.suppressed + kept.suppressed,
        crashed=report.crashed or kept.crashed,
        unfinished=report.unfinished or kept.unfinished,
        hidden=(*report.hidden, *kept.hidden),
    )
