"""Items about what a hook does with packets that no rule is about."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from iptlint.analysis.default_verdict import (
    accepted_by_default,
    accepted_strangers,
    dropped_by_default,
    probes,
)
from iptlint.benchmark import packets
from iptlint.benchmark.answers import (
    Answer,
    Verdict,
    cannot_tell,
    fails,
    on_each_path,
    passes,
    worst,
)
from iptlint.findings import phrases
from iptlint.model import Field, Hook, VerdictKind
from iptlint.model.ownership import owner_of_interface
from iptlint.netfilter.base_chain import BaseChain
from iptlint.netfilter.decision import ACCEPTING, Share, shares
from iptlint.netfilter.hooks import Hooks
from iptlint.packets.bdd import union

if TYPE_CHECKING:
    from iptlint.packets.bdd import PacketSet

_HOOKS = (Hook.INPUT, Hook.FORWARD, Hook.OUTPUT)
_DENYING = (VerdictKind.DROP, VerdictKind.REJECT)


def _denies(path: Hooks) -> Answer:
    answers = {hook: _denies_at(path, hook) for hook in _HOOKS}
    gravest = worst(answers.values())
    if gravest.verdict is Verdict.PASS:
        reason = "; ".join(answer.reason for answer in answers.values() if answer.reason)
        return replace(gravest, reason=reason)
    alike = [hook.name for hook in _HOOKS if answers[hook].verdict is gravest.verdict]
    more = f"; {phrases.listed(alike[1:])} likewise" if len(alike) > 1 else ""
    return replace(gravest, reason=f"{gravest.reason}{more}")


def _denies_at(path: Hooks, hook: Hook) -> Answer:
    main = path.main(hook)
    if main is None and path.ruleset.is_nft:
        return fails(f"no chain denies anything at {hook.value}")
    if main is None or not (main.chain.origin or main.chain.rules):
        return cannot_tell(f"the policy of {hook.name} is not in the file")
    if hook is Hook.OUTPUT:
        return _output_denies(path, main)
    denied = dropped_by_default(path, hook)
    accepting = shares(path, hook, accepted_strangers(path, hook))
    if _has_drop_policy(path, hook):
        return _policy_holds(path, hook, main, denied, accepting)
    return _closes(path, hook, main, denied & _everyone(path, hook), accepting)


def _has_drop_policy(path: Hooks, hook: Hook) -> bool:
    policies = (station.chain.policy for station in path.stations(hook))
    return any(policy is not None and policy.kind is VerdictKind.DROP for policy in policies)


def _everyone(path: Hooks, hook: Hook) -> PacketSet:
    return union([*probes(path, hook, "new", "syn")], path.space.false)


def _policy_holds(
    path: Hooks, hook: Hook, main: BaseChain, denied: PacketSet, accepting: list[Share]
) -> Answer:
    """Nothing before the policy may accept everything."""
    if denied.satisfiable():
        return passes()
    if accepted_by_default(path, hook).satisfiable() and accepting:
        return _accepts(main, accepting[0])
    return _uncertain(main)


def _closes(
    path: Hooks, hook: Hook, main: BaseChain, denied: PacketSet, accepting: list[Share]
) -> Answer:
    """With a policy that accepts, a rule has to leave nothing to it."""
    by_policy = [decider for decider in accepting if decider.rule is None]
    if by_policy or (accepting and not denied.satisfiable()):
        return _accepts(main, [*by_policy, *accepting][0])
    if not denied.satisfiable():
        return _uncertain(main)
    closing = [d for d in shares(path, hook, denied) if d.kind in _DENYING]
    note = f"{main.chain.name} is closed by a rule, not by its policy"
    return passes(note, closing[0] if closing else None)


def _accepts(main: BaseChain, decider: Share) -> Answer:
    who = "a rule" if decider.rule else "the policy"
    return fails(f"{who} of {main.chain.name} accepts what no rule denies", decider)


def _uncertain(main: BaseChain) -> Answer:
    return cannot_tell(f"what {main.chain.name} does by default depends on more than packets")


def _output_denies(path: Hooks, main: BaseChain) -> Answer:
    """Most rulesets that deny let all tcp, udp and icmp out, as the benchmark itself has it; so
    whoever asks what happens by default is of a protocol that no rule is about."""
    if _has_drop_policy(path, Hook.OUTPUT):
        return passes()
    asked = union([*packets.samples(path, Hook.OUTPUT, "other", "new")], path.space.false)
    denied = asked & ~path.may_pass(Hook.OUTPUT)
    found = [d for d in shares(path, Hook.OUTPUT, asked & ~denied) if d.kind in ACCEPTING]
    return _closes(path, Hook.OUTPUT, main, denied, found)


default_deny = on_each_path(_denies)


def _no_open_zone(path: Hooks) -> Answer:
    main = path.main(Hook.INPUT)
    if main is None:
        return cannot_tell("no chain filters at input")
    accepted = accepted_by_default(path, Hook.INPUT) & _zoned(path) & _everyone(path, Hook.INPUT)
    accepting = shares(path, Hook.INPUT, accepted)
    if accepting and accepting[0].rule is None:
        return _accepts(main, accepting[0])
    if accepting:
        return fails("a zone accepts every connection that comes in", accepting[0])
    denied = dropped_by_default(path, Hook.INPUT).satisfiable()
    return passes() if denied else _uncertain(main)


def _zoned(path: Hooks) -> PacketSet:
    """The packets that come by interfaces which no software makes for itself."""
    space = path.space
    numbers = (
        number
        for number, cls in enumerate(space.interfaces.classes, start=1)
        if cls.name != "lo" and owner_of_interface(cls.name) is None
    )
    return union([space.value(Field.IIF, number) for number in numbers], space.false)


def _zones_drop(path: Hooks) -> Answer:
    answer = _no_open_zone(path)
    if answer.verdict is not Verdict.PASS:
        return answer
    denied = dropped_by_default(path, Hook.INPUT) & _everyone(path, Hook.INPUT)
    for decider in shares(path, Hook.INPUT, denied):
        if decider.kind is VerdictKind.REJECT:
            return fails("what no rule accepts is rejected; the guide wants it dropped", decider)
    return answer


no_open_zone = on_each_path(_no_open_zone, six=False)
zones_drop = on_each_path(_zones_drop, six=False)
