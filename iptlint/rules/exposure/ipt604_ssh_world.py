"""SSH is open to every address, and nothing slows down who tries passwords.

## What it does
Sends new connections to the SSH port (setting `ssh-ports`, 22 by default) from public addresses,
by the interfaces that face the world. Where most are accepted, whatever limits and bans say, the
accept rule is reported. A rate limit, a limit of connections, port knocking, or a list of banned
addresses that these packets are looked up in is enough to be silent, and so is a limit on what
follows them in the same connection.

## Why it matters
Every public SSH port is tried with thousands of names and passwords a day. Where passwords are
allowed, one weak one is enough; where they are not, the log still fills.

## Example
```
*filter
:INPUT DROP [0:0]
-A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT
-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT
COMMIT
```

## Fix
Accept it from where you administer the host (`-s 192.0.2.0/24`), or limit new connections of
each address:
```
-A INPUT -p tcp -m tcp --dport 22 -m conntrack --ctstate NEW -m hashlimit \\
  --hashlimit-name ssh --hashlimit-mode srcip --hashlimit-above 6/min -j DROP
```
in nft `tcp dport 22 ct state new meter ssh { ip saddr limit rate over 6/minute } drop`. Where ufw
writes the rules it is `ufw limit 22/tcp`.

## When it is wrong
Where sshd takes keys only, or something bans guessers that leaves no trace in the ruleset
(fail2ban makes its rules when it starts): the rules cannot tell. Suppress it there, in the
file or with `--ignore IPT604`. Where everything is open, IPT601 or IPT602 tells of it.

## References
- sshd_config(5), PasswordAuthentication: https://man.openbsd.org/sshd_config
- iptables-extensions(8), hashlimit: https://man7.org/linux/man-pages/man8/iptables-extensions.8.html
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from iptlint.analysis.default_verdict import ODD_PORTS
from iptlint.analysis.delivery import delivery
from iptlint.analysis.evidence import shown_from_world
from iptlint.analysis.exposure import Exposure, exposure_among, external_probes
from iptlint.analysis.handshake import any_answer, is_answered, untracks
from iptlint.analysis.lost_bans import accepted
from iptlint.analysis.session import Context, Settings
from iptlint.analysis.shadowing import shadowed_rules
from iptlint.analysis.shares import Share
from iptlint.findings import Cause, Confidence, Finding, Severity, suggestions
from iptlint.findings.per_family import for_each_family
from iptlint.model import AnyOf, Family, Field, Hook, Match, Opaque, Rule
from iptlint.model.kinds import rules_where
from iptlint.model.matches import SetLookup
from iptlint.model.owners import Owner, owner_of_name, owner_of_table
from iptlint.model.ownership import is_generated, owner_of_chain
from iptlint.model.protocols import TCP
from iptlint.model.syntax import Suggestion
from iptlint.packets.bdd import union
from iptlint.rules.meta import Group, Meta, Needs

if TYPE_CHECKING:
    from iptlint.netfilter.firewall import Hooks
    from iptlint.packets.bdd import PacketSet
    from iptlint.packets.space import Space

META = Meta(
    code="IPT604",
    name="ssh-world",
    severity=Severity.WARNING,
    confidence=Confidence.CERTAIN,
    group=Group.EXPOSURE,
    since="0.1.0",
    yields_to=("IPT101", "IPT701"),
    needs=Needs.SSH,
    leaves_to={
        "IPT602": "the next rule that accepts SSH is reported instead",
    },
)

_BANNING = ("fail2ban", "sshguard", "crowdsec")


def check(context: Context) -> Iterator[Finding]:
    return for_each_family(context, partial(_check_family, context.settings))


def _check_family(settings: Settings, hooks: Hooks) -> Iterator[Finding]:
    space = hooks.space
    ports = space.ranges(Field.DPORT, tuple((port, port) for port in settings.ssh_ports))
    ports = ports & space.value(Field.PROTO, TCP)
    asked = union([*external_probes(hooks)], space.false) & ports
    exposure = exposure_among(hooks, Hook.INPUT, asked, ports | _odd_ports(space))
    if exposure is None:
        return
    open_ = exposure.accepted & ports & ~exposure.by_policy
    if not exposure.is_most(open_) or _is_watched(hooks, open_):
        return
    leaving = hooks.deciding_chain(Hook.OUTPUT)
    if leaving is not None and not is_answered(hooks, open_, Hook.OUTPUT):
        return  # who gets no answer tries no password
    if exposure.is_most(_slowed(hooks, open_)):
        return
    for share in exposure.accepters(open_):
        rule = share.rule
        generated = is_generated(share.analysis.table, share.chain.name)
        if rule is None or generated or _is_for_all_ports(hooks, exposure, rule):
            continue
        if not exposure.is_most(share.packets):
            continue
        yield META.finding(
            share.span,
            "SSH is open to every address, with no limit for who tries one password after another",
            _advice(hooks, share, settings.ssh_ports[0]),
            witness=shown_from_world(hooks, Hook.INPUT, share),
            likeness="ssh",
            causes=(Cause(hooks.ruleset, part=rule), *_late(hooks, exposure, open_)),
        )
        return


def _slowed(hooks: Hooks, openings: PacketSet) -> PacketSet:
    """Those of the packets that open a connection of which a limit may drop what follows: who has
    opened too many gets no further in the next."""
    space, family = hooks.space, hooks.family
    shared = (Field.PROTO, Field.DPORT, Field.IIF, family.saddr, family.daddr)
    opened = space.project(openings, *shared)
    following = any_answer(hooks, Hook.INPUT, "ack", reply=False) & opened
    fate = delivery(hooks, Hook.INPUT, following)
    return openings & space.project(fate.through & fate.lost, *shared)


def _late(hooks: Hooks, exposure: Exposure, packets: PacketSet) -> Iterator[Cause]:
    """The rules that would deny some attempts of anyone, and stand below what accepts them."""
    attempts = hooks.space.project(packets, Field.PROTO, Field.DPORT)
    asked = exposure.everyone & attempts
    for base_chain in hooks.base_chains(Hook.INPUT):
        analysis = base_chain.analysis
        bans = [lost for lost in shadowed_rules(analysis) if lost.is_lost_to_accepts]
        for lost in (lost for lost in bans if analysis.may_be_for(lost.rule, asked)):
            if exposure.is_most(accepted(analysis, lost, asked)):
                yield Cause(hooks.ruleset, part=lost.rule)


def _is_for_all_ports(hooks: Hooks, exposure: Exposure, rule: Rule) -> bool:
    """Whether what accepts SSH accepts everything else too."""
    others = exposure.accepters(exposure.accepted & _odd_ports(hooks.space))
    return any(exposure.is_most(share.packets) for share in others if share.rule is rule)


def _odd_ports(space: Space) -> PacketSet:
    ports = space.ranges(Field.DPORT, tuple((port, port) for port in ODD_PORTS))
    return ports & space.value(Field.PROTO, TCP)


def _is_watched(hooks: Hooks, packets: PacketSet) -> bool:
    """Whether something that bans guessers asks for the packets, or may: by a chain or a table
    of a program for that, or a list of addresses that are denied."""
    tables, space = hooks.tables(), hooks.space
    anyone = space.project(packets, *space.fields)  # on whatever lists they are
    if any(_bans(owner_of_table(table.name)) for table in tables):
        return True
    return any(
        (hooks.firewall.analysis(table).intended(rule) & anyone).satisfiable()
        for table in tables
        for _, rule in rules_where(table, _watches)
    )


def _watches(rule: Rule) -> bool:
    """Whether it is for those who are banned, or for a program that bans."""
    callee = rule.verdict.chain
    denies = rule.verdict.kind.denies or callee is not None
    banned = denies and any(map(_is_lookup, rule.matches))
    return banned or (callee is not None and _bans(owner_of_name(callee)))


def _bans(owner: Owner | None) -> bool:
    return owner is not None and owner.name in _BANNING


def _is_lookup(match: Match) -> bool:
    match match:
        case Opaque(asks=asks):
            return isinstance(asks, SetLookup)
        case AnyOf(alternatives):
            return any(_is_lookup(test) for tests in alternatives for test in tests)
        case _:
            return False


_BY_COMMAND = {
    "ufw": "limit it, `ufw limit {port}/tcp`, or accept it from your networks only",
    "firewalld": "accept it from your networks only: `firewall-cmd --permanent"
    ' --remove-service=ssh --add-rich-rule=\'rule family="{family}" source'
    ' address="{inside}" service name="ssh" accept\'`',
}
"""What to do where a manager writes the rules, whose file is not for editing."""


def _advice(hooks: Hooks, share: Share, port: int) -> str:
    owner = owner_of_chain(share.analysis.table, share.chain.name)
    if owner is not None and owner.name in _BY_COMMAND:
        family = "ipv6" if hooks.family is Family.IP6 else "ipv4"
        inside = suggestions.INSIDE[hooks.family]
        return _BY_COMMAND[owner.name].format(port=port, family=family, inside=inside)
    main = hooks.deciding_chain(Hook.INPUT)
    base = main.chain.name if main else share.chain.name
    rest = suggestions.against_others(hooks, Hook.INPUT, share.packets)
    if untracks(hooks):  # a limit on new connections might see none of them
        return f"accept it from your networks only{rest}"
    limit = suggestions.first(share, base, _limit(hooks, port))
    return f"accept it from your networks only{rest}, or {limit}"


def _limit(hooks: Hooks, port: int) -> Suggestion:
    saddr = f"{hooks.family.value} saddr"
    return Suggestion(
        f"-p tcp -m tcp --dport {port} -m conntrack --ctstate NEW -m hashlimit "
        "--hashlimit-name ssh --hashlimit-mode srcip --hashlimit-above 6/min -j DROP",
        f"tcp dport {port} ct state new meter ssh {{ {saddr} limit rate over 6/minute }} drop",
    )
