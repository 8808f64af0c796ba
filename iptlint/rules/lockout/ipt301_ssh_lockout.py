"""From nowhere can a new SSH connection be opened to this host.

## What it does
Follows the handshake of a tcp connection to the SSH port (setting `ssh-ports`, 22 by default) from
every address that a machine elsewhere may have and every interface but `lo`: the SYN through INPUT,
the SYN-ACK through OUTPUT, the ACK through INPUT; and the SYN through the raw, mangle and security
tables. If a step fails for all, it names the step and the line. A pass that depends on chance or
time counts. Without a setting, so does a rule that evidently lets SSH in on another port (by its
comment, a remark, a variable's name, or a port used for it, such as 2222).
It is an error where something speaks for SSH: a rule that accepts the port, the setting, a
listener, or another service that the world gets to. It is a warning where only some network gets
in. It is an information where nobody gets in, where a port without a name is open, at which sshd
may listen; where a rule closes the port and none opens it; and for IPv6 rules without the IPv4 ones
of the host.

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
in nft `ip saddr 192.0.2.0/24 tcp dport 22 ct state new accept`.
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

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING

from iptlint.analysis.default_verdict import outside
from iptlint.analysis.evidence import shown_for
from iptlint.analysis.handshake import (
    HandshakeStep,
    between_machines,
    first_packets,
)
from iptlint.analysis.hook_verdicts import some_pass
from iptlint.analysis.includes import has_unseen_includes
from iptlint.analysis.ipv6_counterpart import ip_side
from iptlint.analysis.session import Context
from iptlint.analysis.shares import Share, surely_decides
from iptlint.analysis.ssh_access import (
    Sign,
    SshFailure,
    accepts_ports,
    nameless_service,
    names_port,
    sign_of_ssh,
    ssh_failures,
    ssh_ports,
)
from iptlint.findings import Cause, Confidence, Finding, Label, Severity
from iptlint.findings.handshake import advice, message
from iptlint.findings.per_family import for_each_family
from iptlint.model import Family
from iptlint.model.kinds import rules_testing
from iptlint.model.names import is_for_knocking
from iptlint.packets.witness import witness
from iptlint.rules.meta import Group, Meta, Needs

if TYPE_CHECKING:
    from iptlint.netfilter.firewall import Hooks

META = Meta(
    code="IPT301",
    name="ssh-lockout",
    severity=Severity.ERROR,
    confidence=Confidence.CERTAIN,
    group=Group.LOCKOUT,
    since="0.1.0",
    needs=Needs.SSH,
    yields_to=("IPT304",),
)


_NAMED_RULES = 3


def check(context: Context) -> Iterator[Finding]:
    return for_each_family(context, partial(_check_family, context))


def _check_family(context: Context, hooks: Hooks) -> Iterator[Finding]:
    ports = ssh_ports(hooks, context.settings)
    failures = [] if _is_to_be_filled_in(hooks, ports) else [*ssh_failures(hooks, ports)]
    over_ipv4 = [*_over_ipv4(context, hooks)] if failures else []
    for failure in failures if not over_ipv4 else ():
        if not _elsewhere(context, hooks, failure.step):
            finding = _finding(context, hooks, failure, ports)
            if not _is_ipv6_alone(context, hooks):
                yield finding
            elif finding.severity is not Severity.INFO:
                yield _of_ipv6_alone(finding)
    yield from over_ipv4


def _is_to_be_filled_in(hooks: Hooks, ports: tuple[int, ...]) -> bool:
    """Whether a script has a command to let SSH in that fails for what stands in the place of an
    address: that is told there."""
    script = hooks.ruleset.script
    asked = re.compile(rf"(?<!\d)(?:{'|'.join(map(str, ports))}|ssh)(?!\d)")
    return script is not None and any(
        step.failed
        and {"INPUT", "ACCEPT"} <= {*step.words}
        and any(map(_ADDRESS_TO_COME.match, step.words))
        and asked.search(" ".join(step.words))
        for step in script.steps
    )


_ADDRESS_TO_COME = re.compile(r"(?:[\dxX]{1,3}\.)+[xX]{1,3}\b|<[\w -]+>|(?:YOUR|MY)_[A-Z_]+")


def _over_ipv4(context: Context, hooks: Hooks) -> Iterator[Finding]:
    """What is told of IPv4, if the path is of IPv6: a source that lets nobody in over either is
    one lockout, and what mends IPv4 ends it."""
    ip = context.hooks(hooks.ruleset, Family.IP) if hooks.family is Family.IP6 else None
    return _check_family(context, ip) if ip else iter(())


def _elsewhere(context: Context, hooks: Hooks, step: HandshakeStep) -> bool:
    """Whether IPv6 rules are as they are because SSH is spoken over IPv4, or no IPv6 at all."""
    if hooks.family is not Family.IP6:
        return False
    if step.packet == "SYN" and not some_pass(hooks, step.hook, outside(hooks.space)):
        return True
    if hooks.ruleset.flush is not None and not hooks.ruleset.sees(Family.IP):
        return not has_unseen_includes(hooks.ruleset)  # IPv4 is open after that
    return ip_side(context, hooks) is not None  # where that lets nobody in either, it is told there


def _is_ipv6_alone(context: Context, hooks: Hooks) -> bool:
    """Whether nothing given here says what becomes of IPv4."""
    return hooks.family is Family.IP6 and ip_side(context, hooks) is None


def _of_ipv6_alone(finding: Finding) -> Finding:
    return replace(
        finding,
        message=f"over IPv6, {finding.message}; the IPv4 rules of this host are not here",
        severity=Severity.INFO,
        confidence=Confidence.POSSIBLE,
    )


_GRAVITY = {
    Sign.NAMED: Severity.ERROR,
    Sign.PUBLIC: Severity.ERROR,
    Sign.PRIVATE: Severity.WARNING,
    Sign.NONE: Severity.INFO,
}


def _finding(
    context: Context, hooks: Hooks, failure: SshFailure, ports: tuple[int, ...]
) -> Finding:
    step, droppers = failure
    port = " or ".join(map(str, ports)) if len(ports) < 4 else f"{ports[0]} and others"
    others = [share for share in droppers[1:] if surely_decides(share, step.hook)]
    knocked = is_for_knocking(droppers[0].chain.name)
    named = not knocked and _is_by_name(hooks, droppers[0], ports)
    text = message(hooks, step, droppers, f"port {port}", "no new SSH connection can be opened")
    sign = sign_of_ssh(context, hooks, step, ports)
    may_be_other = sign in (Sign.PUBLIC, Sign.PRIVATE) and step.packet == "SYN"
    other = nameless_service(hooks) if may_be_other else None
    if named:
        text += f"; {droppers[0].name} names that port, so it may be meant"
    elif knocked:
        text += f", unless a program puts a rule into {droppers[0].chain.name} for who has knocked"
    elif other is not None:
        line = other[1].origin.span.line
        text += f", unless sshd listens on {other[0]}, which line {line} opens"
    gravity = Severity.INFO if other is not None else _GRAVITY[sign]
    return META.finding(
        droppers[0].span,
        text,
        advice(hooks, step, droppers, ports),
        related=(
            *(Label(d.span, f"{d.does} some of these packets") for d in others[: _NAMED_RULES - 1]),
            *islice(_in_vain(hooks, step, ports), _NAMED_RULES),
        ),
        witness=shown_for(hooks, step.hook, droppers[0])
        or witness(hooks.space, droppers[0].packets, step.hook),
        severity=Severity.INFO if named or knocked else gravity,
        confidence=Confidence.POSSIBLE if knocked or (other and not named) else None,
        causes=(Cause(hooks.ruleset, hooks.family),),
    )


def _in_vain(hooks: Hooks, step: HandshakeStep, ports: tuple[int, ...]) -> Iterator[Label]:
    """The rules that accept the port from or to addresses which no machine has."""
    main = hooks.deciding_chain(step.hook)
    if main is None or step.packet != "SYN":
        return
    coming = first_packets(hooks, ports) & hooks.hook_packets(step.hook) & outside(hooks.space)
    for _, rule in rules_testing(main.analysis.table, accepts_ports):
        if names_port(rule, ports):
            taken = main.analysis.matched(rule, coming)
            if taken.satisfiable() and not (taken & between_machines(hooks)).satisfiable():
                yield Label(rule.origin.span, "no other machine has an address that this is for")


def _is_by_name(hooks: Hooks, decider: Share, ports: tuple[int, ...]) -> bool:
    """Whether a rule is there to close the port, and none to open it."""
    if decider.rule is None or not names_port(decider.rule, ports):
        return False
    return not any(names_port(rule, ports) for rule in hooks.rules_testing(accepts_ports))
