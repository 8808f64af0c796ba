"""A router lets new connections from the world through to the networks behind it.

## What it does
Sends new connections from public addresses through FORWARD, to ports that no rule would name,
where FORWARD is meant to deny by default. If a rule accepts most of them, from an interface that
faces the world (by its name, or because packets leave by it with an address of the host's) to
another one, or on interfaces that no rule names, that rule is reported.

## Why it matters
What is behind the router is then protected by nothing but its private addresses, and those do
not stop a neighbour on the provider's side, or IPv6. Mostly answers were meant: those are
`ESTABLISHED,RELATED`.

## Example
```
*nat
-A POSTROUTING -o eth0 -j MASQUERADE
COMMIT
*filter
:FORWARD DROP [0:0]
-A FORWARD -i eth1 -o eth0 -j ACCEPT
-A FORWARD -i eth0 -o eth1 -j ACCEPT
COMMIT
```

## Fix
Let answers through, and no more:
```
-A FORWARD -i eth0 -o eth1 -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT
```
in nft `iifname "eth0" oifname "eth1" ct state established,related accept`.

## When it is wrong
Where the networks behind have firewalls of their own and are meant to be reached. Packets whose
destination was translated (`ct status dnat`), rules that name a destination, and FORWARD where
Docker, Kubernetes, libvirt and the like manage it, are not reported; nor is an open policy, of
which IPT601 tells.

## References
- NIST SP 800-41 Rev. 1, 4.2 (deny by default): https://csrc.nist.gov/pubs/sp/800/41/r1/final
- RFC 4864, 4.2 (translation is no protection): https://www.rfc-editor.org/rfc/rfc4864
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from iptlint.analysis.accepts_anyone import accept_any
from iptlint.analysis.default_verdict import dropped_by_default, forwards_on_its_own, probes
from iptlint.analysis.evidence import shown_for
from iptlint.analysis.exposure import (
    exposure_of,
    interface_name,
    same_interface,
    suspect_uplinks,
    uplinks,
)
from iptlint.analysis.external_interfaces import lending_names, uplink_names
from iptlint.analysis.session import Context
from iptlint.analysis.shares import Share, responsible_call
from iptlint.analysis.user_rules import is_user_decision
from iptlint.findings import Confidence, Finding, Label, Severity, suggestions
from iptlint.findings.accepting import every, kind_of
from iptlint.findings.per_family import for_each_family
from iptlint.findings.phrases import MAX_LABELS, lines
from iptlint.model import Field, Hook, Rule, VerdictKind
from iptlint.model.names import is_tunnel
from iptlint.model.syntax import Suggestion
from iptlint.packets.describe.lists import listed
from iptlint.rules.meta import Group, Meta, Needs

if TYPE_CHECKING:
    from iptlint.netfilter.firewall import Hooks

META = Meta(
    code="IPT605",
    name="forward-open",
    severity=Severity.WARNING,
    confidence=Confidence.CERTAIN,
    group=Group.EXPOSURE,
    since="0.1.0",
    needs=Needs.FORWARDING,
)


def check(context: Context) -> Iterator[Finding]:
    return for_each_family(context, _check_family)


def _check_family(hooks: Hooks) -> Iterator[Finding]:
    if hooks.deciding_chain(Hook.FORWARD) is None or forwards_on_its_own(hooks):
        return
    if let_in := accept_any(hooks, Hook.FORWARD):
        denied = let_in.denied
        related = [Label(denied.span, "would deny them")] if denied.rule else []
        yield _finding(
            hooks,
            let_in.by,
            f"{every(let_in.by)} new {kind_of(let_in.by)}connection from anywhere to anywhere",
            f": {denied.name}, which was to deny them, sees none of them",
            related,
            inside=True,
        )
    elif dropped_by_default(hooks, Hook.FORWARD).satisfiable():
        yield from _from_uplinks(hooks)


def _from_uplinks(hooks: Hooks) -> Iterator[Finding]:
    space = hooks.space
    inwards = suspect_uplinks(hooks) & ~uplinks(hooks, Field.OIF) & ~same_interface(space)
    inwards = inwards & ~space.interface(Field.OIF, "lo")  # which nothing is forwarded to
    asked = [each & inwards for each in probes(hooks, Hook.FORWARD, "new", "syn")]
    exposure = exposure_of(hooks, Hook.FORWARD, asked)
    if exposure is None:
        return
    for share in exposure.accepters(exposure.accepted):
        if share.rule is None or not is_user_decision(share) or not exposure.is_most(share.packets):
            continue
        name = interface_name(space, share.packets)
        yield _finding(
            hooks,
            share,
            f"{every(share)} new {kind_of(share)}connection that comes in by {name}, which"
            " faces the world,",
            " on its way to the networks behind",
            [],
            inside=False,
        )


def _finding(
    hooks: Hooks, share: Share, what: str, then: str, related: list[Label], *, inside: bool
) -> Finding:
    """``inside``: the rule is for connections of the networks behind too, which need another."""
    too = _accept_too(share)
    share, main = responsible_call(share), hooks.deciding_chain(Hook.FORWARD)
    chain = main.chain.name if main else share.chain.name
    answers = suggestions.into(suggestions.ESTABLISHED, chain, hooks)
    which, own = _from_inside(hooks, chain)
    return META.finding(
        share.span,
        f"{share.name} accepts {what}{then}",
        f"accept answers, and {which}, in its place: {answers}; {own}"
        if inside
        else f"accept answers only, in its place{_and(too)}: {answers}",
        related=(
            *related,
            *(Label(rule.origin.span, "accepts them too") for rule in too[:MAX_LABELS]),
        ),
        witness=shown_for(hooks, Hook.FORWARD, share),
    )


def _accept_too(share: Share) -> list[Rule]:
    """The rules below it that accept all it does: by deleting it alone nothing is closed."""
    if share.rule is None:
        return []
    chain, number = share.analysis.place(share.rule)
    tests, rules = share.analysis.flows[chain].tests, share.analysis.table.chains[chain].rules
    below = range(number + 1, min(len(rules), number + _LOOKED_AT))
    alike = [n for n in below if not (share.packets & ~tests[n].sure).satisfiable()]
    return [rules[n] for n in alike if rules[n].verdict.kind is VerdictKind.ACCEPT]


_LOOKED_AT = 100


def _and(rules: Sequence[Rule]) -> str:
    return f" and in that of {lines(rules)}" if rules else ""


def _from_inside(hooks: Hooks, chain: str) -> tuple[str, str]:
    """What the networks behind open, in words and as rules. Their addresses are not known, but
    where the host lends them its own, it shows by which interfaces they are to leave."""
    tunnels = {name for name in lending_names(hooks) if is_tunnel(name)}
    wild = {cls.name for cls in hooks.space.interfaces.classes if cls.wildcard}
    if names := sorted((uplink_names(hooks) or tunnels) - wild):
        leaving = [Suggestion(f"-o {n} -j ACCEPT", f'oifname "{n}" accept') for n in names]
        rules = [suggestions.into(each, chain, hooks) for each in leaving]
        return f"what leaves by {listed(names)}", "; ".join(rules)
    network = suggestions.INSIDE[hooks.family]
    from_inside = Suggestion(
        f"-s {network} -j ACCEPT", f"{hooks.family.value} saddr {network} accept"
    )
    words = f"what your own networks open (theirs for {network})"
    return words, suggestions.into(from_inside, chain, hooks)
