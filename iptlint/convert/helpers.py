"""``CT --helper``: nft gives a connection its helper where there is one, behind tracking.

In the table raw iptables says which helper a connection shall have that a packet begins
(xt_CT.c). ``ct helper set`` has to stand behind priority -200, where no chain of raw does: the
packets take the same way through copies of its chains once more, which do nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from iptlint.dialects.nft.writing.values import NoFormError
from iptlint.model import (
    AnyOf,
    Chain,
    EffectKind,
    Field,
    Match,
    Rule,
    Table,
    Uncertain,
    Verdict,
    VerdictKind,
    Within,
)
from iptlint.model.call_graph import calls_in
from iptlint.model.matches import CT_STATES
from iptlint.model.writes import reads_conntrack

PRIORITY = -199
"""The first behind connection tracking."""
_NEW = CT_STATES.index("new")
BEGINS: Match = Within(Field.CT_STATE, ((_NEW, _NEW),))
"""What an expectation began is given no helper by a rule (init_conntrack)."""
_ACCEPT = Verdict(VerdictKind.ACCEPT, "ACCEPT")
_HARMLESS = (EffectKind.LOG, EffectKind.NOTRACK)
_STAYS = (VerdictKind.ACCEPT, VerdictKind.RETURN, VerdictKind.JUMP, VerdictKind.GOTO)


@dataclass(frozen=True, slots=True)
class Copies:
    """``table``: with the copies of its chains, by name in ``chains``; ``originals``: the rules
    that say a helper, with the chain in which it is set; ``setting``: the copies of these;
    ``why_not``: why there are none."""

    table: Table
    chains: frozenset[str] = frozenset()
    originals: Mapping[Rule, str] = field(default_factory=dict)
    setting: frozenset[Rule] = frozenset()
    why_not: str = ""


def says_helper(rule: Rule) -> bool:
    return rule.verdict.name == "CT" and "--helper" in rule.verdict.options.split()


def with_copies(table: Table) -> Copies:
    if not any(says_helper(rule) for _, rule in table.rules()):
        return Copies(table)
    try:
        return _copied(table)
    except NoFormError as error:
        return Copies(table, why_not=str(error))


def _copied(table: Table) -> Copies:
    wanted = [*_reaching(table)]
    names = {name: _free(f"{name}_helpers", table) for name in wanted}
    originals: dict[Rule, str] = {}
    setting: list[Rule] = []
    chains = dict(table.chains)
    for name in wanted:
        rules: list[Rule] = []
        for rule in table.chains[name].rules:
            copy = _copy(rule, names)
            if copy is not None:
                rules.append(copy)
                if says_helper(rule):
                    originals[rule] = names[name]
                    setting.append(copy)
        chains[names[name]] = _chain(table.chains[name], names[name], rules)
    new = replace(table, chains=chains)
    return Copies(new, frozenset(names.values()), originals, frozenset(setting))


def _chain(chain: Chain, name: str, rules: list[Rule]) -> Chain:
    copy = replace(chain, name=name, rules=tuple(rules))
    if chain.hook is None:
        return copy
    return replace(copy, priority=PRIORITY, policy=_ACCEPT)


def _free(wanted: str, table: Table) -> str:
    while wanted in table.chains:
        wanted += "_"
    return wanted


def _reaching(table: Table) -> Iterator[str]:
    """The chains on the way to a rule that says a helper, and all that these call."""
    calls = calls_in(table)
    telling = {chain.name for chain, rule in table.rules() if says_helper(rule)}
    bases = {base.name for name in telling for base in calls.bases_of(name)}
    wanted = {name for base in bases for name in calls.reachable_from(base)} | bases
    return (name for name in table.chains if name in wanted)


def _copy(rule: Rule, names: Mapping[str, str]) -> Rule | None:
    """None where the rule decides nothing of the way. What is dropped comes here no more."""
    if says_helper(rule):
        if len(rule.verdict.options.split()) > 2:
            raise NoFormError("a rule that says more of the connection than its helper")
        return replace(rule, matches=(*_of_packet_alone(rule), BEGINS))
    if any(effect.kind not in _HARMLESS for effect in rule.effects) or not rule.read:
        raise NoFormError("another rule of raw writes what a later one may ask for")
    if rule.verdict.kind not in _STAYS:
        return None
    chain = rule.verdict.chain
    verdict = (
        rule.verdict if chain is None else replace(rule.verdict, chain=names.get(chain, chain))
    )
    return replace(rule, matches=_of_packet_alone(rule), effects=(), verdict=verdict)


def _of_packet_alone(rule: Rule) -> tuple[Match, ...]:
    """They are asked twice, and have to say the same."""
    if reads_conntrack(rule.matches) or any(map(_depends, rule.matches)):
        raise NoFormError("a rule of raw asks for more than the packet, and would be asked twice")
    return rule.matches


def _depends(match: Match) -> bool:
    if isinstance(match, AnyOf):
        return any(_depends(test) for tests in match.alternatives for test in tests)
    return isinstance(match, Uncertain)
