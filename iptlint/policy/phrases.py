"""What is said of a policy test, in words."""

from __future__ import annotations

from collections.abc import Sequence

from iptlint.model import IP_VERSIONS, Hook, VerdictKind
from iptlint.netfilter.firewall import Hooks
from iptlint.netfilter.packet_group import Decision
from iptlint.packets.describe.lists import listed
from iptlint.policy.claims import Quantity
from iptlint.policy.proving import Proof
from iptlint.policy.zones import Zone, ZoneKind, is_likely, likely_names

_MOST_CONDITIONS = 2
_WAYS = {
    Hook.INPUT: "to this host",
    Hook.FORWARD: "through this host",
    Hook.OUTPUT: "from this host",
}
_DOES = {
    VerdictKind.ACCEPT: "accepts",
    VerdictKind.DROP: "drops",
    VerdictKind.REJECT: "rejects",
    VerdictKind.QUEUE: "hands to a program",
    VerdictKind.NAT: "translates",
}


def decider(decision: Decision | None, *, letting: bool) -> str:
    """``rules.v4:12 accepts``, ``the policy of INPUT (rules.v4:3) drops``."""
    if decision is None:
        return "no chain stops" if letting else "something stops"
    span = decision.span
    place = f"{span.source.path}:{span.line}"
    if decision.rule is not None:
        kind = decision.rule.verdict.kind
        return f"{place} {_DOES.get(kind, 'decides of')}"
    kind = decision.chain.policy.kind if decision.chain.policy else VerdictKind.ACCEPT
    return f"the policy of {decision.chain.name} ({place}) {_DOES.get(kind, 'takes')}"


def failure(hooks: Hooks, proof: Proof, ways: Sequence[Hook]) -> str:
    """Why the claim does not hold over one family."""
    over = f"over {IP_VERSIONS[hooks.family]}"
    if proof.way is None:
        named = " or ".join(way.value for way in ways)
        return f"{over}: no such packet takes the way {named}"
    way = _WAYS[proof.way]
    if proof.unanswered:
        return f"{over}: it gets there, and its answer may not come back"
    if proof.witness is None:
        return f"{over}: there is no such packet {way}"
    if proof.claim.quantity is Quantity.NONE:
        who = decider(proof.decision, letting=True)
        doubt = _doubt(proof) if proof.may_hold else ""
        return f"{over}: {who} it {way}{doubt}"
    who = decider(proof.decision, letting=False)
    doubt = _doubt(proof) if proof.may_hold else ""
    return f"{over}: {who} some of it {way}{doubt}"


def _doubt(proof: Proof) -> str:
    """Under what the packet that is shown fares so."""
    said = list(proof.conditions[:_MOST_CONDITIONS])
    if not said:
        return ", or not, as a set or the like decides whose contents are not known"
    return f", if {listed(said)}"


def held(proof: Proof) -> str:
    """Under what the claim holds, if not without more."""
    said = [f"only {proof.by}"] if proof.by else []
    if proof.assumed:
        said.append(f"if {', '.join(proof.assumed)} is another host's")
    return ", ".join(said)


def forwarding_is_left_out(hooks: Hooks) -> str:
    """Why nothing is said of what is forwarded."""
    return f"what is forwarded is left out: no rule of {IP_VERSIONS[hooks.family]} is about it"


def advice(hooks: Hooks, proof: Proof) -> str:
    """What to say in the test file, where the failure may come from a zone that says too little."""
    if proof.claim.quantity is not Quantity.NONE or proof.witness is None:
        return ""
    source, name = proof.claim.source, proof.witness.iif
    zones = source.members or (source,)
    if name is None or proof.claim.but or not any(map(_is_vague, zones)) or is_likely(hooks, name):
        return ""
    names = likely_names(hooks) or ["eth0"]
    listed = ", ".join(f'"{each}"' for each in names)
    return (
        f"if the internet does not come in by {name}, say by what it does: "
        f"[zones] internet = {{ interfaces = [{listed}] }}"
    )


def _is_vague(zone: Zone) -> bool:
    return zone.kind is ZoneKind.INTERNET and not zone.interfaces
