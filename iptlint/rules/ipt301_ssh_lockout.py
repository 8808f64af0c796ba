"""From nowhere can a new SSH connection be opened to this host.

## What it does
Follows the whole handshake of a tcp connection to the SSH port (setting `ssh-ports`, 22 by
default) from every address and interface but `lo`: the SYN through INPUT, the SYN-ACK through
OUTPUT, the ACK through INPUT; and the SYN through the raw, mangle and security tables. If a
step fails for all, it names the step and the line. A pass that depends on chance or time
(limit, recent, port knocking) counts as a pass. Without a setting, a rule that evidently lets
SSH in on another port (by its comment, or one of the ports used for it, such as 2222) counts.

## Why it matters
Loaded on a remote host, such a ruleset ends with a trip to the data centre.

## Example
```
*filter
:INPUT DROP [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT
-A INPUT -p tcp --dport 443 -j ACCEPT
COMMIT
```

## Fix
Accept new connections to the port, from where you administer the host:
```
-A INPUT -s 192.0.2.0/24 -p tcp --dport 22 -m conntrack --ctstate NEW -j ACCEPT
```
If sshd listens on another port, say so with `--ssh-ports`.

## When it is wrong
Where the host is administered in another way (console, agent, a laptop you sit at): ignore
this rule there. IPv6 rules that deny everything, or that stand beside IPv4 rules which let
SSH in, are not reported.

## References
- RFC 9293, 3.5 (the handshake): https://www.rfc-editor.org/rfc/rfc9293
- RFC 4253, 4.1 (port 22): https://www.rfc-editor.org/rfc/rfc4253
"""

from __future__ import annotations

from collections.abc import Iterator

from iptlint.findings import Confidence, Finding, Label, Severity
from iptlint.model import Family, Field, Hook, Rule, VerdictKind
from iptlint.netfilter.deciders import Decider, deciders
from iptlint.netfilter.handshake import Step, handshake, opening
from iptlint.netfilter.posture import outside
from iptlint.netfilter.walk import Walk
from iptlint.packets.space import reads_conntrack
from iptlint.packets.witness import witness
from iptlint.rules.meta import Context, Group, Meta, Settings
from iptlint.rules.sides import ip_side

META = Meta(
    code="IPT301",
    name="ssh-lockout",
    severity=Severity.ERROR,
    confidence=Confidence.CERTAIN,
    group=Group.LOCKOUT,
    since="0.1.0",
)

_REDIRECTING = ("DNAT", "REDIRECT", "TPROXY")
_USUAL_ELSEWHERE = (222, 2022, *range(2200, 2300), 8022, 10022, *range(22000, 23000), 60022)
_FEW = 16
"""A rule for more ports than this is not about one service."""

_NAMED_RULES = 3


def check(context: Context) -> Iterator[Finding]:
    for walk in context.walks():
        ports = ssh_ports(_filter_beside(context, walk), context.settings)
        for step in _failing(walk, ports):
            if not _elsewhere(context, walk, step):
                yield _finding(walk, step, ports)


def _filter_beside(context: Context, walk: Walk) -> Walk:
    """The filter table of the same ruleset and family; the table itself where there is none."""
    table = walk.ruleset.table("filter", walk.table.family)
    return context.walk(walk.ruleset, table) if table else walk


def _failing(walk: Walk, ports: tuple[int, ...]) -> Iterator[Step]:
    match walk.table.name:
        case "filter":
            if step := _failing_step(walk, ports):
                yield step
        case "mangle" | "security":
            yield from _dropped_early(walk, ports)
        case "raw" if not any(reads_conntrack(rule.matches) for _, rule in walk.table.rules()):
            # Here nothing is tracked yet, so a test of the state is not what it seems.
            yield from _dropped_early(walk, ports)


def _dropped_early(walk: Walk, ports: tuple[int, ...]) -> Iterator[Step]:
    """Where another table than filter drops every SYN."""
    for hook in (Hook.PREROUTING, Hook.INPUT):
        if walk.base_chain(hook) is None or (hook is Hook.PREROUTING and _redirects(walk)):
            continue
        sent = opening(walk, ports) & walk.hook_packets(hook)
        step = Step("SYN", hook, sent, sent & walk.may_pass(hook))
        if step.fails:
            yield step


def _redirects(walk: Walk) -> bool:
    """Whether the port may be another one once PREROUTING is over."""
    nat = walk.ruleset.table("nat", walk.table.family)
    return nat is not None and any(r.verdict.name in _REDIRECTING for _, r in nat.rules())


def locked_out(walk: Walk, settings: Settings) -> bool:
    """Whether the filter table lets nobody in."""
    return _failing_step(walk, ssh_ports(walk, settings)) is not None


def _failing_step(walk: Walk, ports: tuple[int, ...]) -> Step | None:
    """The step of the handshake that fails for everyone; None where someone gets in, or where
    the source holds no INPUT chain."""
    chain = walk.base_chain(Hook.INPUT)
    if chain is None or not (chain.origin or chain.rules):
        return None
    *_, last = handshake(walk, opening(walk, ports))
    return last if last.fails else None


def ssh_ports(walk: Walk, settings: Settings) -> tuple[int, ...]:
    """Where sshd listens: what the user says, or 22 and what the rules make evident."""
    if settings.ssh_ports != Settings().ssh_ports:
        return settings.ssh_ports
    *_, last = handshake(walk, opening(walk, settings.ssh_ports))
    return (*settings.ssh_ports, *_evident_ports(walk)) if last.fails else settings.ssh_ports


def _evident_ports(walk: Walk) -> tuple[int, ...]:
    found = (
        port
        for _, rule in walk.table.rules()
        if rule.verdict.kind is VerdictKind.ACCEPT
        for port in _ssh_ports_of(walk, rule)
    )
    return tuple(dict.fromkeys(found))


def _ssh_ports_of(walk: Walk, rule: Rule) -> Iterator[int]:
    """The ports, among few, to which the rule lets new connections in, and SSH ones at that."""
    if Hook.INPUT not in walk.hooks_of(walk.place(rule).chain):
        return
    space = walk.space
    packets = space.project(walk.matched(rule) & opening(walk), Field.DPORT)
    if not 0 < packets.sat_count_float(space.fields[Field.DPORT].width) <= _FEW:
        return
    named = "ssh" in (rule.comment or "").lower()
    for port in range(1, 1 << 16) if named else _USUAL_ELSEWHERE:
        if (packets & space.value(Field.DPORT, port)).satisfiable():
            yield port


def _elsewhere(context: Context, walk: Walk, step: Step) -> bool:
    """Whether IPv6 rules are as they are because SSH is spoken over IPv4, or no IPv6 at all."""
    if walk.table.family is not Family.IP6:
        return False
    if step.packet == "SYN" and not (walk.may_pass(step.hook) & outside(walk.space)).satisfiable():
        return True
    beside = ip_side(context, walk)
    return beside is not None and not locked_out(beside, context.settings)


def _finding(walk: Walk, step: Step, ports: tuple[int, ...]) -> Finding:
    found = deciders(walk, step.hook, step.sent)
    port = " or ".join(map(str, ports)) if len(ports) < 4 else f"{ports[0]} and others"
    return META.finding(
        found[0].span(walk),
        message(walk, step, found, f"port {port}", "no new SSH connection can be opened"),
        advice(walk, step, found[0], ports),
        related=tuple(
            Label(d.span(walk), f"{d.does} some of these packets") for d in found[1:_NAMED_RULES]
        ),
        witness=witness(walk.space, found[0].packets, step.hook),
    )


def message(walk: Walk, step: Step, found: list[Decider], port: str, result: str) -> str:
    """What happens to the packet of this step, and at which line."""
    first = found[0]
    table = walk.table.name
    name = first.name if table == "filter" else f"{first.name} of the {table} table"
    share = "" if len(found) == 1 else "most of "
    match step.packet:
        case "SYN":
            return f"{result}: {name} {first.does} {share}the SYNs to {port}"
        case "SYN-ACK":
            return (
                f"{result}: the SYN to {port} comes in, but {name} {first.does} "
                f"{share}the SYN-ACKs on their way out"
            )
        case _:
            return (
                f"{result}: the SYN to {port} comes in and the SYN-ACK leaves, but "
                f"{name} {first.does} {share}the ACKs that complete the handshake"
            )


def advice(
    walk: Walk, step: Step, decider: Decider, ports: tuple[int, ...], source: str = ""
) -> str:
    if walk.table.name != "filter":
        return f"except port {ports[0]} there (or say where sshd listens: --ssh-ports)"
    if step.packet != "SYN":
        established = "-m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT"
        return decider.remedy(step.hook.name, established)
    rule = f"{source}-p tcp -m tcp --dport {ports[0]} -m conntrack --ctstate NEW -j ACCEPT"
    return f"{decider.remedy('INPUT', rule)} (or say where sshd listens: --ssh-ports)"
