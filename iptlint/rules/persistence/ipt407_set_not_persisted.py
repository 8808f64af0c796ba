"""Rules need an ipset that nothing given provides.

## What it does
Lists the ipsets that the rules of a file test (`-m set --match-set`) or fill (`-j SET`).
The file itself cannot make them: they have to be there before it is loaded.

## Why it matters
`iptables-restore` stops at the first rule whose set does not exist. Nothing of that table
is loaded, nor of the tables after it, so a host that boots with the rules saved and the
sets not saved comes up without a firewall.

## Example
```
*filter
:INPUT DROP [0:0]
-A INPUT -m set --match-set blocklist src -j DROP
-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT
COMMIT
```

## Fix
Save the sets, and load them before the rules: `ipset save > /etc/ipset.conf` and, at boot,
`ipset restore -exist -file /etc/ipset.conf`. On Debian and Ubuntu the package
ipset-persistent does this within netfilter-persistent, in /etc/iptables/ipsets; on Fedora
and RHEL it is ipset.service with /etc/sysconfig/ipset.

## When it is wrong
Where the sets are loaded before the rules by something that iptlint was not shown. Name the
saved sets with the rules (`iptlint rules.v4 ipsets`, or `--ipset FILE`): then nothing is said of
those that the file makes, and of another that it does not make IPT003 is. Sets and rules that
software makes when it starts (calico, cilium, kube-proxy, fail2ban) are left out.

## References
- ipset(8): https://ipset.netfilter.org/ipset.man.html
- libxt_set.c in iptables ("Set %s doesn't exist.")
- netfilter-persistent's plugin 10-ipset
"""

from __future__ import annotations

from collections.abc import Iterator

from iptlint.analysis.session import Context
from iptlint.analysis.set_uses import SetUse, uses_of_sets
from iptlint.findings import Confidence, Finding, Label, Severity
from iptlint.model import Ruleset
from iptlint.model.names import is_set_of_software
from iptlint.model.owners import owner_of_name
from iptlint.model.ownership import writer_of
from iptlint.packets.describe.lists import few
from iptlint.rules.meta import Group, Meta
from iptlint.source import Span

META = Meta(
    code="IPT407",
    name="set-not-persisted",
    severity=Severity.WARNING,
    confidence=Confidence.POSSIBLE,
    group=Group.PERSISTENCE,
    since="0.1.0",
    about_files=True,
    leaves_to={
        "IPT003": "with the sets at hand, those that are there are no finding either",
    },
)

_SHOWN = 5


def check(context: Context) -> Iterator[Finding]:
    if context.sets is not None:
        return  # a set that the files given do not make is IPT003
    for ruleset in context.rulesets:
        # A set of nft's is written where it is used; one that is not there is IPT003.
        uses = _first_uses(ruleset)
        if uses:
            yield _of_script(uses) if ruleset.script else _finding(uses)


def _first_uses(ruleset: Ruleset) -> dict[str, Span]:
    """Each set's name and where it is first needed, in the order of the text."""
    uses: dict[str, Span] = {}
    script = ruleset.script
    for use in uses_of_sets(ruleset):
        if script is not None and script.makes_set(use.name):
            continue
        if use.name not in uses and not _is_generated(use):
            uses[use.name] = use.rule.origin.part(use.part)
    return dict(sorted(uses.items(), key=lambda use: use[1].start))


def _is_generated(use: SetUse) -> bool:
    """Whether software makes the set, or wrote the rule: it makes both anew when it starts."""
    owners = (owner_of_name(use.name), writer_of(use.table, use.chain.name, use.rule))
    known = any(owner is not None and owner.transient for owner in owners)
    return known or is_set_of_software(use.name)


def _of_script(uses: dict[str, Span]) -> Finding:
    """Each command fails for itself."""
    (name, place), *others = uses.items()
    return META.finding(
        place,
        f"this command needs the set {name}, which the script does not make: if it does not exist"
        " when the script runs, the command fails, and the rule is not there",
        f"make it before: ipset create -exist {name} hash:net",
        related=tuple(Label(span, f"needs the set {other}") for other, span in others[:_SHOWN]),
    )


def _finding(uses: dict[str, Span]) -> Finding:
    (first, place), *others = uses.items()
    them = f"set {first}" if not others else f"{len(uses)} sets ({few(list(uses), _SHOWN)})"
    exist = "it does not exist" if not others else "one of them does not exist"
    return META.finding(
        place,
        f"these rules need the {them}, which nothing given here provides: if {exist} when the"
        " file is loaded, iptables-restore stops, and this table and those after it are not"
        " loaded",
        "save the sets too (`ipset save > /etc/ipset.conf`) and load them before the rules"
        " (`ipset restore -exist -file /etc/ipset.conf`); netfilter-persistent does both with"
        " the package ipset-persistent, in /etc/iptables/ipsets",
        related=tuple(Label(span, f"needs the set {name}") for name, span in others[:_SHOWN]),
    )
