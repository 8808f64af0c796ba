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
those that the file makes, and of another that it does not make IPT003 is. Sets that software makes
when it starts (calico, crowdsec, fail2ban, weave) are told of by themselves, and only in a file
that is kept to be loaded: not in one in which nothing is a person's, nor on standard input.

## References
- ipset(8): https://ipset.netfilter.org/ipset.man.html
- libxt_set.c in iptables ("Set %s doesn't exist.")
- netfilter-persistent's plugin 10-ipset
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from iptlint.analysis.session import Context
from iptlint.analysis.set_uses import SetUse, uses_of_sets
from iptlint.findings import Confidence, Finding, Label, Severity
from iptlint.model import Family, Ruleset
from iptlint.model.names import maker_of_set
from iptlint.model.owners import owner_of_name
from iptlint.model.ownership import writer_of
from iptlint.model.software import is_saved
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
        uses, of_software = _first_uses(ruleset)
        if uses:
            yield _of_script(uses, ruleset) if ruleset.script else _finding(uses)
        if of_software and ruleset.script is None and is_saved(ruleset):
            yield from (_made_later(*each) for each in of_software.items())


def _first_uses(ruleset: Ruleset) -> tuple[dict[str, Span], dict[str, dict[str, Span]]]:
    """Each set's name and where it is first needed, in the order of the text; and the same by the
    software that makes the set anew when it starts."""
    uses: dict[str, Span] = {}
    of_software: dict[str, dict[str, Span]] = defaultdict(dict)
    script = ruleset.script
    for use in uses_of_sets(ruleset):
        if script is not None and script.makes_set(use.name):
            continue
        maker = _maker(use)
        into = uses if maker is None else of_software[maker]
        into.setdefault(use.name, use.rule.origin.part(use.part))
    return _in_order(uses), {maker: _in_order(each) for maker, each in of_software.items()}


def _in_order(uses: dict[str, Span]) -> dict[str, Span]:
    return dict(sorted(uses.items(), key=lambda use: use[1].start))


def _maker(use: SetUse) -> str | None:
    """The software that makes the set, or wrote the rule: it makes both anew when it starts."""
    owners = (owner_of_name(use.name), writer_of(use.table, use.chain.name, use.rule))
    known = (owner.name for owner in owners if owner is not None and owner.transient)
    return next(known, maker_of_set(use.name))


def _made_later(maker: str, uses: dict[str, Span]) -> Finding:
    (first, place), *others = uses.items()
    them = f"set {first}" if not others else f"{len(uses)} sets ({few(list(uses), _SHOWN)})"
    are, it = ("it is", "it") if not others else ("they are", "them")
    return META.finding(
        place,
        f"these rules need the {them}, and {maker} makes {it} only when it starts: at boot {are}"
        f" not there yet when the file is loaded, unless somebody saves {it} too, so"
        " iptables-restore stops, and this table and those after it are not loaded",
        f"take the rules out of the file: {maker} makes its own anew; rules of yours that need"
        f" {it} belong where they are loaded after {maker} has started",
        related=tuple(Label(span, f"needs the set {name}") for name, span in others[:_SHOWN]),
    )


_TYPES = {1: "hash:net", 2: "hash:ip,port", 3: "hash:ip,port,ip"}
"""Common ones, by how many parts an entry of theirs has."""


def _made(ruleset: Ruleset, name: str) -> str:
    """The command that makes the set, with as many parts as its users look for: a set with fewer
    would be asked for the first of them only."""
    use = next(each for each in uses_of_sets(ruleset) if each.name == name)
    kind = _TYPES.get(len(use.sides), _TYPES[3])
    family = " family inet6" if use.table.family is Family.IP6 else ""
    command = f"ipset create -exist {name} {kind}{family}"
    if len(use.sides) == 1:
        return f"if nothing else makes it, do so before, with the type that it needs: {command}"
    return (
        f"if nothing else makes it, do so before, of a type with {len(use.sides)} parts, such as: "
        f"{command}"
    )


def _of_script(uses: dict[str, Span], ruleset: Ruleset) -> Finding:
    """Each command fails for itself."""
    (name, place), *others = uses.items()
    return META.finding(
        place,
        f"this command needs the set {name}, which iptlint saw nothing make: if it does not exist"
        " when the script runs, the command fails, and the rule is not there",
        _made(ruleset, name),
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
