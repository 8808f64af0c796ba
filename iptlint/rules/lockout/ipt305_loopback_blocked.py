"""The loopback interface is not accepted by a chain that denies by default.

## What it does
Where INPUT or OUTPUT denies by default, asks whether new tcp connections from 127.0.0.0/8
to 127.0.0.0/8 (or from ::1 to ::1) can pass on `lo`, and reports the policy or line that
stops them, one finding for both chains. A port that is open to everyone, such as 22, does not
answer that: ports are tried that no ruleset names.

## Why it matters
Programs on a host speak with each other over `lo`: name lookups through a local resolver,
databases, mail, graphical sessions. They hang, with an error that does not name the firewall.

## Example
```
*filter
:INPUT DROP [0:0]
-A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT
-A INPUT -p tcp -s 192.0.2.0/24 --dport 22 -j ACCEPT
COMMIT
```

## Fix
```
-A INPUT -i lo -j ACCEPT
```
and, where OUTPUT denies by default, `-A OUTPUT -o lo -j ACCEPT`; in nft `iifname "lo" accept`
and `oifname "lo" accept`.

## When it is wrong
Where a host runs nothing that uses `lo`, which is rare. It is only possible where a script has a
command that would open it and fails, of which another finding tells. Silent where nothing whatever
gets through the chains that stop them: IPT301 tells of that.

## References
- lo(4), RFC 1122, 3.2.1.3 (127.0.0.0/8): https://www.rfc-editor.org/rfc/rfc1122
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from iptlint.analysis.default_verdict import ODD_PORTS, dropped_by_default
from iptlint.analysis.handshake import clients, first_packets
from iptlint.analysis.hook_verdicts import denied_by_policies, may_pass, some_pass
from iptlint.analysis.session import Context
from iptlint.analysis.shares import Share, shares
from iptlint.findings import Confidence, Finding, Label, Severity, suggestions
from iptlint.findings.acceptance import acceptance
from iptlint.findings.fix import Change, Fix, joined
from iptlint.findings.per_family import for_each_family
from iptlint.model import Family, Field, Hook, Interface, VerdictKind
from iptlint.model.addresses import AddressKind, ranges
from iptlint.model.script import Script, Step
from iptlint.packets.describe.lists import listed
from iptlint.packets.witness import witness
from iptlint.rules.meta import Group, Meta

if TYPE_CHECKING:
    from iptlint.netfilter.firewall import Hooks
    from iptlint.packets.bdd import PacketSet

META = Meta(
    code="IPT305",
    name="loopback-blocked",
    severity=Severity.WARNING,
    confidence=Confidence.CERTAIN,
    group=Group.LOCKOUT,
    since="0.1.0",
    fixable=True,
    leaves_to={
        "IPT301": "one finding is for both hooks, left out where all of them are shut",
    },
)

_INTERFACE = {
    Hook.INPUT: (Field.IIF, suggestions.LOOPBACK_IN),
    Hook.OUTPUT: (Field.OIF, suggestions.LOOPBACK_OUT),
}
_FIELD = {
    Hook.PREROUTING: Field.IIF,
    Hook.INPUT: Field.IIF,
    Hook.OUTPUT: Field.OIF,
    Hook.POSTROUTING: Field.OIF,
}


_OPTIONS = {Hook.INPUT: ("-i", "--in-interface"), Hook.OUTPUT: ("-o", "--out-interface")}
_ADDING = frozenset(("-A", "--append", "-I", "--insert"))


class _Blocked(NamedTuple):
    """A hook where no program gets through to another, and who decides so."""

    hook: Hook
    share: Share

    @property
    def chain(self) -> str:
        """The base chain that leads to who decides."""
        return self.share.base(self.hook).name

    def refused(self, script: Script | None) -> Iterator[Step]:
        """The commands of a script that would add a rule for lo, and fail; or may, where a word is
        known only to who runs it."""
        for step in script.steps if script is not None else ():
            options = {
                option for option, name in pairwise(step.words) if name == "lo" or not step.is_sure
            }
            if step.failed and options & {*_OPTIONS[self.hook]} and _ADDING & {*step.words}:
                yield step

    @property
    def remedy(self) -> str:
        return suggestions.first(self.share, self.chain, _INTERFACE[self.hook][1])

    @property
    def fix(self) -> Fix | None:
        field, remedy = _INTERFACE[self.hook]
        change = Change(VerdictKind.ACCEPT, (self.hook,), ((Interface(field, "lo"),),))
        return acceptance(self.share, self.hook, [remedy], change)


def check(context: Context) -> Iterator[Finding]:
    return for_each_family(context, partial(_check_family, context))


def _check_family(context: Context, hooks: Hooks) -> Iterator[Finding]:
    """Where IPv4 and IPv6 of one source fail, what is told of IPv4 stands for both."""
    ip = context.hooks(hooks.ruleset, Family.IP)
    blocked = [each for hook in _INTERFACE for each in _blocked(hooks, hook)]
    alone = all(ip and _is_shut(ip, each.hook) and _is_shut(hooks, each.hook) for each in blocked)
    over_ipv4 = [*_check_family(context, ip)] if not alone and ip and ip is not hooks else []
    if not alone and not over_ipv4:
        yield _finding(hooks, blocked)
    yield from over_ipv4


def _is_shut(hooks: Hooks, hook: Hook) -> bool:
    """Whether nothing at all gets through. Over IPv4 SSH does not either then, and IPT301 says
    so; IPv6 alone is often shut because SSH is spoken over IPv4."""
    return not some_pass(hooks, hook, hooks.hook_packets(hook))


def _blocked(hooks: Hooks, hook: Hook) -> Iterator[_Blocked]:
    if hooks.deciding_chain(hook) and dropped_by_default(hooks, hook).satisfiable():
        local = _local(hooks, hook)
        if not may_pass(hooks, hook, local & _odd(hooks)).satisfiable():
            lost = local & ~may_pass(hooks, hook, local)
            yield _Blocked(hook, shares(hooks, hook, lost)[0])


def _odd(hooks: Hooks) -> PacketSet:
    """To ports that no rule is for: one that is for one port lets no other through."""
    return hooks.space.ranges(Field.DPORT, tuple((port, port) for port in ODD_PORTS))


def _local(hooks: Hooks, hook: Hook) -> PacketSet:
    """First packets from one program to another."""
    space, family = hooks.space, hooks.family
    loopback = ranges(family, AddressKind.LOOPBACK)
    return (
        first_packets(hooks)
        & clients(space)
        & hooks.hook_packets(hook)
        & space.interface(_FIELD[hook], "lo")
        & space.ranges(family.saddr, loopback)
        & space.ranges(family.daddr, loopback)
    )


def _finding(hooks: Hooks, blocked: Sequence[_Blocked]) -> Finding:
    first = blocked[0]
    share = first.share
    others = [other for other in blocked if other.share.span != share.span]
    chains = listed([each.chain for each in blocked if each not in others])
    elsewhere = [*_elsewhere(hooks, blocked)]
    refused = [step for each in blocked for step in each.refused(hooks.ruleset.script)]
    too = [f"{other.share.name} {other.share.does} them too" for other in others]
    return META.finding(
        share.span,
        f"programs on this host cannot connect to each other over lo{_by_version(hooks)}: "
        f"in {chains}, {', and '.join((f'{share.first} their packets', *too))}",
        "; and ".join((*(each.remedy for each in blocked), *elsewhere)),
        related=(
            *(Label(o.share.span, f"{o.share.does} them too") for o in others),
            *(Label(step.span, "this would accept them, and fails") for step in refused[:1]),
        ),
        confidence=Confidence.POSSIBLE if refused else None,
        witness=witness(hooks.space, share.packets, first.hook),
        fix=None if elsewhere else joined([each.fix for each in blocked]),
    )


_WAYS = {
    Hook.INPUT: (Hook.PREROUTING, Hook.INPUT),
    Hook.OUTPUT: (Hook.OUTPUT, Hook.POSTROUTING),
}


def _elsewhere(hooks: Hooks, blocked: Sequence[_Blocked]) -> Iterator[str]:
    """What is to be done in the other base chains on the way whose policies deny lo, too."""
    named = {(each.share.analysis.table, each.chain) for each in blocked}
    others = [
        f"{base.chain.name} of the {base.table.name} table"
        for each in blocked
        for hook in _WAYS[each.hook]
        for base in denied_by_policies(hooks, hook, _local(hooks, hook) & _odd(hooks))
        if (base.table, base.chain.name) not in named
    ]
    if others:
        yield f"accept lo in {listed(others)} too"


def _by_version(hooks: Hooks) -> str:
    """Said of IPv6 where something else is for IPv4, which works."""
    alone = hooks.family is Family.IP6 and Family.INET not in hooks.ruleset.families
    return " by IPv6 (::1)" if alone else ""
