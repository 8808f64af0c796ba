"""Each chain, sentence by sentence: what its rules ask for and do, runs of alike ones together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from iptlint.findings.phrases import counted
from iptlint.model import (
    Chain,
    Decided,
    Effect,
    EffectKind,
    Hook,
    Match,
    Rule,
    Table,
    Uncertain,
    VerdictKind,
)
from iptlint.model.call_graph import calls_in
from iptlint.model.owners import owner_of_name
from iptlint.netfilter.firewall import Firewall
from iptlint.packets.bdd import union
from iptlint.packets.describe import describe
from iptlint.packets.describe.lists import few, listed
from iptlint.policy.explanation import ChainOf, Sentence
from iptlint.policy.held import held
from iptlint.policy.whole import everything, named
from iptlint.source import Span

if TYPE_CHECKING:
    from iptlint.packets.bdd import PacketSet

_RUN, _MOST_JOINED, _MOST_SENTENCES = 10, 500, 40
_MOST_PHRASES, _MOST_CALLERS, _MOST_OF_SOFTWARE = 3, 3, 6

_VERBS = {
    VerdictKind.ACCEPT: "accepts",
    VerdictKind.DROP: "drops",
    VerdictKind.REJECT: "rejects",
    VerdictKind.RETURN: "is done with",
    VerdictKind.QUEUE: "hands to a program",
    VerdictKind.JUMP: "asks {1} about",
    VerdictKind.GOTO: "leaves to {1}",
    VerdictKind.NAT: "translates ({0})",
}
"""``{0}``: what the verdict does, ``{1}``: the chain that it names."""
_PAST = {VerdictKind.ACCEPT: "accepted", VerdictKind.DROP: "dropped"}
_HOOKS = {
    Hook.INGRESS: "as packets come in by a device",
    Hook.PREROUTING: "before routing",
    Hook.INPUT: "to this host",
    Hook.FORWARD: "through this host",
    Hook.OUTPUT: "from this host",
    Hook.POSTROUTING: "after routing",
    Hook.EGRESS: "as packets leave by a device",
}


def chains_of(firewall: Firewall) -> Iterator[ChainOf]:
    """Those with rules, and base chains with a policy that denies: as packets come to them."""
    for table in firewall.ruleset.tables:
        calls = calls_in(table)
        bases = [*table.base_chains()]
        called = [c for c in table.chains.values() if c.hook is None and c.rules]
        written: Counter[str] = Counter()
        for chain in (*bases, *called):
            owner = owner_of_name(chain.name) if chain.hook is None else None
            if owner is not None and owner.transient:
                written[owner.name] += 1
                if written[owner.name] > _MOST_OF_SOFTWARE:
                    continue
            if chain.rules or (chain.policy and chain.policy.kind.denies):
                callers = dict.fromkeys(name for name, _ in calls.callers(chain.name))
                yield _chain(firewall, table, chain, [*callers])
        yield from _left_out(firewall, table, written)


def _left_out(firewall: Firewall, table: Table, written: Counter[str]) -> Iterator[ChainOf]:
    """That software has more chains in the table."""
    for name, number in written.items():
        more = number - _MOST_OF_SOFTWARE
        if more > 0:
            title = f"{table.family.value} {table.name}: {counted(more, 'more chain')} of {name}"
            place = table.origin.span if table.origin else firewall.ruleset.source.line_span(1)
            yield ChainOf(title, place, ())


def _chain(firewall: Firewall, table: Table, chain: Chain, callers: Sequence[str]) -> ChainOf:
    runs = [*_runs(chain)]
    sentences = [_sentence(firewall, run) for run in runs[:_MOST_SENTENCES]]
    if (left := len(runs) - _MOST_SENTENCES) > 0:
        last = _places(runs[-1])
        sentences.append(Sentence(f"and {left} more sentences of this kind", last))
    title = f"{table.family.value} {table.name} {chain.name}, {_when(chain, callers)}"
    place = firewall.ruleset.declaration_of(table, chain)
    return ChainOf(title, place, tuple(sentences))


def _when(chain: Chain, callers: Sequence[str]) -> str:
    if chain.hook is None:
        return f"asked by {few(callers, _MOST_CALLERS)}" if callers else "asked by no chain"
    kind = "translations " if chain.type == "nat" else ""
    policy = chain.policy.kind if chain.policy else VerdictKind.ACCEPT
    rest = f"; what no rule decides is {_PAST.get(policy, policy.value)}"
    return f"{kind}{_HOOKS[chain.hook]}{'' if chain.type == 'nat' else rest}"


# -- rules ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Told:
    """One rule: ``does`` to the packets that pass its tests, if the ``conditions`` hold."""

    rule: Rule
    does: str
    conditions: tuple[str, ...]


def _runs(chain: Chain) -> Iterator[Sequence[_Told]]:
    """The rules that do something: neighbours that do the same together where they are many."""
    told = [_told(rules) for rules in _statements(chain)]
    doing = [each for each in told if each is not None]
    for _, run in groupby(doing, key=lambda each: (each.does, each.conditions)):
        alike = [*run]
        if len(alike) >= _RUN:
            yield alike
        else:
            yield from ([each] for each in alike)


def _sentence(firewall: Firewall, run: Sequence[_Told]) -> Sentence:
    text = _text_of_one(firewall, run[0]) if len(run) == 1 else _text_of_run(firewall, run)
    return Sentence(text, _places(run))


def _places(run: Sequence[_Told]) -> tuple[Span, ...]:
    """The first and the last."""
    spans = (each.rule.statement.span for each in (run[0], run[-1]))
    return tuple(dict.fromkeys(spans))


def _statements(chain: Chain) -> Iterator[tuple[Rule, ...]]:
    """The parts of a statement together where they have the same tests."""
    for parts in chain.statements():
        yield from (tuple(same) for _, same in groupby(parts, key=lambda rule: rule.matches))


def _told(rules: tuple[Rule, ...]) -> _Told | None:
    """None of rules that do nothing but count."""
    deeds = [deed for rule in rules for deed in _deeds(rule)]
    if not deeds:
        return None
    conditions = dict.fromkeys(c for match in rules[-1].matches for c in _conditions(match))
    return _Told(rules[-1], listed(dict.fromkeys(deeds)), tuple(conditions))


def _deeds(rule: Rule) -> Iterator[str]:
    effects = [deed for effect in rule.effects if (deed := _effect(effect))]
    yield from effects
    verdict = rule.verdict
    if (way := held(verdict)) is not None:
        yield way.does
    elif verdict.kind is not VerdictKind.CONTINUE:
        yield _VERBS.get(verdict.kind, "does {0} with").format(verdict.meaning, verdict.chain)
    elif verdict.name and not effects:
        yield f"does {verdict.meaning} with"


def _effect(effect: Effect) -> str:
    """Empty for what the verdict tells."""
    match effect.kind:
        case EffectKind.LOG:
            prefix = (effect.name or "").strip()
            return f'logs as "{prefix}"' if prefix else "logs"
        case EffectKind.SET:
            return f"notes in the set {effect.name}"
        case EffectKind.NOTRACK:
            return "does not track"
        case _:
            return ""


def _conditions(match: Match) -> Iterator[str]:
    match match:
        case Uncertain(_, key) | Decided(key):
            yield key


def _text_of_one(firewall: Firewall, told: _Told) -> str:
    return _text(firewall, told, firewall.plain(told.rule))


def _text_of_run(firewall: Firewall, alike: Sequence[_Told]) -> str:
    """Neighbours that do the same, as one; of very many only how many they are."""
    rules = counted(len(alike), "rule")
    if len(alike) > _MOST_JOINED:
        return f"{alike[0].does} what {rules} in a row ask for{_suffix(alike[0])}"
    sets = [firewall.plain(each.rule) for each in alike]
    packets = union(sets, firewall.space.false)
    return f"{_text(firewall, alike[0], packets)} ({rules})"


def _text(firewall: Firewall, told: _Told, packets: PacketSet) -> str:
    description = describe(firewall.space, packets, _MOST_PHRASES)
    lines = [everything(named(line)) for line in description.lines]
    what = "; or ".join(lines or ["packets of many kinds"]) + (
        ", and others" if description.more else ""
    )
    what = "nothing, as no packet is like that" if what == "no packet" else what
    return f"{told.does} {what}{_suffix(told)}"


def _suffix(told: _Told) -> str:
    return f", within {listed(told.conditions)}" if told.conditions else ""
