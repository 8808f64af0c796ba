"""Two things manage the firewall of one host, and neither knows of the other.

## What it does
Reports a host (`iptlint live`, `--root`) on which more than one of ufw, firewalld,
nftables.service, netfilter-persistent, iptables-services and other managers is started at boot
and has rules to load; and a live host on which tables of the legacy iptables and of nf_tables
both hold rules that people wrote. In a dump of iptables-nft, its warning that there are legacy
tables too.

## Why it matters
Who starts last wins, and that may change with an update: `flush ruleset` deletes what another
has loaded, ufw and firewalld put their chains before yours. Of legacy and nf_tables both are
asked: what one accepts the other may drop, and `iptables -S` shows one half only.

## Example
```
/etc/systemd/system/multi-user.target.wants/ufw.service
/etc/systemd/system/multi-user.target.wants/netfilter-persistent.service
```

## Fix
Keep one: `systemctl disable --now ufw`, or `apt purge iptables-persistent`. Rules of the legacy
iptables go over with `iptables-legacy-save | iptables-nft-restore --noflush` (without the option
those that are there are deleted; a rule behind one that takes everything has to be moved up), then
`iptables-legacy -F` and `update-alternatives --set iptables /usr/sbin/iptables-nft`.

## When it is wrong
Where two of them were made to work side by side, each with its own tables. A ufw that is
installed and off, services without a file to load, and tables of docker, libvirt and the like
do not count.

## References
- nftables wiki, "Moving from iptables to nftables":
  https://wiki.nftables.org/wiki-nftables/index.php/Moving_from_iptables_to_nftables
- iptables-nft: xtables-nft(8), "iptables-legacy"
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from iptlint.analysis.session import Context
from iptlint.findings import Confidence, Finding, Label, Severity
from iptlint.model import Ruleset
from iptlint.model.edits import without_generated
from iptlint.model.software import decisions
from iptlint.packets.describe.lists import listed
from iptlint.rules.meta import Group, Meta
from iptlint.source import Span

if TYPE_CHECKING:
    from iptlint.model.host import Host, Loader

META = Meta(
    code="IPT408",
    name="two-managers",
    severity=Severity.WARNING,
    confidence=Confidence.CERTAIN,
    group=Group.PERSISTENCE,
    since="0.2.0",
)

_TOGETHER = {"ip6tables.service": "iptables.service"}
"""Services of one package."""

_MOVE = (
    "move the legacy rules over, behind those of nf_tables: `iptables-legacy-save |"
    " iptables-nft-restore --noflush`, then empty the old ones: `iptables-legacy -P INPUT ACCEPT;"
    " iptables-legacy -F`"
)


def check(context: Context) -> Iterator[Finding]:
    host = context.host
    if host is not None:
        yield from _managers(host)
        yield from _backends(host)
        return
    for ruleset in context.rulesets:
        warning = ruleset.syntax.warns_of_legacy(ruleset.source)
        if warning is not None:
            yield _half(warning)


def _half(warning: Span) -> Finding:
    """The warning is printed for tables without a rule, too."""
    return META.finding(
        warning,
        "this is one half of the rules: there are tables of the legacy iptables beside these, and"
        " every packet is asked of both: what one accepts the other may drop",
        f"look at `iptables-legacy-save` (over IPv6 `ip6tables-legacy-save`) and {_MOVE}",
        confidence=Confidence.POSSIBLE,
    )


def _managers(host: Host) -> Iterator[Finding]:
    by_name: dict[str, Loader] = {}
    for loader in host.loaders:
        if _counts(host, loader):
            by_name.setdefault(_TOGETHER.get(loader.name, loader.name), loader)
    if len(by_name) < 2:
        return
    (first, *others), names = by_name.values(), [*by_name]
    yield META.finding(
        first.span,
        f"{listed(names)} are all started at boot and load rules each: which of them has the last"
        " word depends on which comes last"
        if len(names) > 2
        else f"{listed(names)} are both started at boot and load rules each: which of them has the"
        " last word depends on which comes last",
        f"keep one, and disable the other{'s' * (len(others) > 1)}",
        related=tuple(Label(other.span, other.name) for other in others),
    )


def _counts(host: Host, loader: Loader) -> bool:
    """Whether it brings rules; a service with nothing to load does no harm."""
    if loader.makes_rules:
        return True
    paths = tuple(load.path for load in loader.files)
    return loader.loads_files and any(
        any(True for _ in decisions(ruleset))
        for ruleset in host.stored
        if ruleset.source.path.endswith(paths)
    )


def _backends(host: Host) -> Iterator[Finding]:
    if host.backends is None:
        return
    legacy, nft = (_first(without_generated(ruleset)) for ruleset in host.backends)
    if legacy is not None and nft is not None:
        yield META.finding(
            legacy,
            "the legacy iptables and nf_tables both hold rules, and every packet is asked of both:"
            " what one accepts the other may drop, and each tool shows one half only",
            _MOVE,
            related=(Label(nft, "a rule in nf_tables"),),
        )


def _first(ruleset: Ruleset) -> Span | None:
    rules = (rule for _, _, rule in decisions(ruleset) if rule is not None)
    return next((rule.statement.span for rule in rules), None)
