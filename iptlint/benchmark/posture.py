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
from iptlint.analysis.hook_verdicts import may_pass
from iptlint.analysis.shares import Share, shares
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
from iptlint.model import Field, Hook, VerdictKind
from iptlint.model.owners import owner_of_interface
from iptlint.packets.bdd import union
from iptlint.packets.describe.lists import listed

if TYPE_CHECKING:
    from iptlint.netfilter.base_chain import BaseChain
    from iptlint.netfilter.firewall import Hooks
    from iptlint.packets.bdd import PacketSet

_HOOKS = (Hook.INPUT, Hook.FORWARD, Hook.OUTPUT)


def _denies(hooks: Hooks) -> Answer:
    answers = {hook: _denies_at(hooks, hook) for hook in _HOOKS}
    gravest = worst(answers.values())
    if gravest.verdict is Verdict.PASS:
        reason = "; ".join(answer.reason for answer in answers.values() if answer.reason)
        return replace(gravest, reason=reason)
    alike = [hook.name for hook in _HOOKS if answers[hook].verdict is gravest.verdict]
    more = f"; {listed(alike[1:])} likewise" if len(alike) > 1 else ""
    return replace(gravest, reason=f"{gravest.reason}{more}")


def _denies_at(hooks: Hooks, hook: Hook) -> Answer:
    main = hooks.deciding_chain(hook)
    if main is None and hooks.ruleset.syntax.makes_base_chains:
        return fails(f"no chain denies anything at {hook.value}")
    if main is None or not (main.chain.origin or main.chain.rules):
        return cannot_tell(f"the policy of {hook.name} is not in the file")
    if hook is Hook.OUTPUT:
        return _output_denies(hooks, main)
    denied = dropped_by_default(hooks, hook)
    accepting = shares(hooks, hook, accepted_strangers(hooks, hook))
    if _has_drop_policy(hooks, hook):
        return _policy_holds(hooks, hook, main, denied, accepting)
    return _closes(hooks, hook, main, denied & _everyone(hooks, hook), accepting)


def _has_drop_policy(hooks: Hooks, hook: Hook) -> bool:
    policies = (base_chain.chain.policy for base_chain in hooks.base_chains(hook))
    return any(policy is not None and policy.kind is VerdictKind.DROP for policy in policies)


def _everyone(hooks: Hooks, hook: Hook) -> PacketSet:
    return union([*probes(hooks, hook, "new", "syn")], hooks.space.false)


def _policy_holds(
    hooks: Hooks, hook: Hook, main: BaseChain, denied: PacketSet, accepting: list[Share]
) -> Answer:
    """Nothing before the policy may accept everything."""
    if denied.satisfiable():
        return passes()
    if accepted_by_default(hooks, hook).satisfiable() and accepting:
        return _accepts(main, accepting[0])
    return _uncertain(main)


def _closes(
    hooks: Hooks, hook: Hook, main: BaseChain, denied: PacketSet, accepting: list[Share]
) -> Answer:
    """With a policy that accepts, a rule has to leave nothing to it."""
    by_policy = [share for share in accepting if share.rule is None]
    if by_policy or (accepting and not denied.satisfiable()):
        return _accepts(main, [*by_policy, *accepting][0])
    if not denied.satisfiable():
        return _uncertain(main)
    closing = [d for d in shares(hooks, hook, denied) if d.kind.denies]
    note = f"{main.chain.name} is closed by a rule, not by its policy"
    return passes(note, closing[0] if closing else None)


def _accepts(main: BaseChain, share: Share) -> Answer:
    who = "a rule" if share.rule else "the policy"
    return fails(f"{who} of {main.chain.name} accepts what no rule denies", share)


def _uncertain(main: BaseChain) -> Answer:
    return cannot_tell(f"what {main.chain.name} does by default depends on more than packets")


def _output_denies(hooks: Hooks, main: BaseChain) -> Answer:
    """Most rulesets that deny let all tcp, udp and icmp out, as the benchmark itself has it; so
    whoever asks what happens by default is of a protocol that no rule is about."""
    if _has_drop_policy(hooks, Hook.OUTPUT):
        return passes()
    asked = union([*packets.samples(hooks, Hook.OUTPUT, "other", "new")], hooks.space.false)
    denied = asked & ~may_pass(hooks, Hook.OUTPUT, asked)
    accepting = [d for d in shares(hooks, Hook.OUTPUT, asked & ~denied) if d.kind.passes]
    return _closes(hooks, Hook.OUTPUT, main, denied, accepting)


default_deny = on_each_path(_denies)


def _no_open_zone(hooks: Hooks) -> Answer:
    main = hooks.deciding_chain(Hook.INPUT)
    if main is None:
        return cannot_tell("no chain filters at input")
    accepted = accepted_by_default(hooks, Hook.INPUT) & _zoned(hooks) & _everyone(hooks, Hook.INPUT)
    accepting = shares(hooks, Hook.INPUT, accepted)
    if accepting and accepting[0].rule is None:
        return _accepts(main, accepting[0])
    if accepting:
        return fails("a zone accepts every connection that comes in", accepting[0])
    denied = dropped_by_default(hooks, Hook.INPUT).satisfiable()
    return passes() if denied else _uncertain(main)


def _zoned(hooks: Hooks) -> PacketSet:
    """The packets that come by interfaces which no software makes for itself."""
    space = hooks.space
    numbers = (
        number
        for number, cls in enumerate(space.interfaces.classes, start=1)
        if cls.name != "lo" and owner_of_interface(cls.name) is None
    )
    return union([space.value(Field.IIF, number) for number in numbers], space.false)


def _zones_drop(hooks: Hooks) -> Answer:
    answer = _no_open_zone(hooks)
    if answer.verdict is not Verdict.PASS:
        return answer
    denied = dropped_by_default(hooks, Hook.INPUT) & _everyone(hooks, Hook.INPUT)
    for share in shares(hooks, Hook.INPUT, denied):
        if share.kind is VerdictKind.REJECT:
            return fails("what no rule accepts is rejected; the guide wants it dropped", share)
    return answer


no_open_zone = on_each_path(_no_open_zone, six=False)
zones_drop = on_each_path(_zones_drop, six=False)
