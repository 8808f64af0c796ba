"""Fixes held against two firewalls, one with the text as it was and one with the new text.

A packet that fares otherwise with one than with the other is one that a fix names, and its fate is
then the one that the fix names. What ``diff`` says is not asked: the kernel judges the fix alone.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from iptlint.analysis.diff import difference
from iptlint.findings.fix import Change
from iptlint.fixes.engine import Allowed, Fixed, fix_all
from iptlint.fixes.proof import State
from iptlint.linter.budget import Budget
from iptlint.linter.run import lint
from iptlint.model import Ruleset
from iptlint.model.writes import Writes
from iptlint.netfilter.firewall import space_of
from iptlint.packets.match import Matcher
from iptlint.packets.packet import Packet
from iptlint.packets.space import Space
from tests.kernel import chance
from tests.kernel.firewall import KernelFirewall
from tests.kernel.following import INTERFACES, is_fate, numbered, point, unsendable
from tests.kernel.gaps import gap
from tests.kernel.record import Record
from tests.kernel.restoring import Kind
from tests.kernel.states import prepare
from tests.kernel.trial import Loaded, Trial, load, on_one_processor
from tests.kernel.wire import UnsendableError

PACKETS = 40
_LEFT_OUT = re.compile(
    r'^flush ruleset;?$|(?<!--)\bcomment "[^"]*"|\bflowtable \w+ \{[^{}]*\{[^{}]*\}\s*\}',
    re.MULTILINE,
)
"""The one would take out what counts the packets, the others stand where the labels go. A flow
table takes only what a rule adds to it, and not every kernel has any (CONFIG_NF_FLOW_TABLE)."""
_DISCOVERY = (*range(130, 138), 143)
"""Types of icmpv6 that are never tracked, whatever the rules are."""

_REMARK = re.compile(r"^\s*#.*$", re.MULTILINE)
"""It may have a time of day in it, which looks like an address."""


@dataclass(frozen=True)
class Pair:
    """A text, what the fixes have made of it, and which packets they mean to treat otherwise."""

    old: str
    new: str
    rulesets: tuple[Ruleset, Ruleset]
    sets: str
    changes: tuple[Change, ...]

    @classmethod
    def of(cls, before: State, fixed: Fixed) -> Pair:
        old, new = (state.sources[0].text for state in (before, fixed.state))
        sets = "".join(source.text for source in fixed.state.ipsets)
        changes = (change for attempt in fixed.applied for change in attempt.fix.changes)
        rulesets = before.readings[0].ruleset, fixed.state.readings[0].ruleset
        return cls(old, new, rulesets, sets, tuple(changes))


def repaired(state: State, codes: Sequence[str]) -> Fixed:
    """With all that can be proved of these rules' fixes."""
    allowed = Allowed(codes, unsafe=True)
    return fix_all(state, lambda now: lint(now.sources, ipsets=now.ipsets), allowed, Budget())


def strays(pair: Pair, kind: Kind, family: str, seed: str, record: Record) -> list[str]:
    """The packets that fare otherwise and are not named; RuntimeError where the kernel refuses a
    text."""
    firewalls = KernelFirewall(), KernelFirewall()
    try:
        with on_one_processor():
            for firewall in firewalls:
                firewall.have_interfaces((*INTERFACES, *_named(pair)))
                if pair.sets:
                    firewall.host.run(["ipset", "restore"], pair.sets)
            sides = [
                load(firewall, _LEFT_OUT.sub("", text), kind, family)
                for firewall, text in zip(firewalls, (pair.old, pair.new), strict=True)
            ]
            found = [*_Judge(pair, sides, family, record).strays(random.Random(seed))]
    finally:
        for firewall in firewalls:
            firewall.close()
    record.rulesets += 1
    texts = "\n---- and the new one\n".join(numbered(side.text) for side in sides)
    return [f"{stray}\n{texts}" for stray in found]


def _named(pair: Pair) -> Iterator[str]:
    """Interfaces without which nft refuses the rules that look them up when they are loaded."""
    classes = space_of(*pair.rulesets).interfaces.classes
    return (one.name for one in classes if not one.wildcard)


class _Judge:
    def __init__(self, pair: Pair, sides: list[Loaded], family: str, record: Record) -> None:
        self.pair, self.sides, self.family, self.record = pair, sides, family, record

    def strays(self, rng: random.Random) -> Iterator[str]:
        told = difference(*self.pair.rulesets)
        texts = f"{self.pair.old}\n{self.pair.new}"
        values = chance.Values.of(_REMARK.sub("", texts), self.family)
        known = [change.witness for change in told.changes]
        near = [*known, *(packet for packet, _ in chance.packets(values, known, rng, PACKETS))]
        for packet in near:
            yield from self._stray(told.space, packet)

    def _stray(self, space: Space, packet: Packet) -> Iterator[str]:
        if packet.ct_state == "untracked" and packet.icmp_type not in _DISCOVERY:
            packet = replace(packet, ct_state="new")
        why = gap(packet) or unsendable(packet)
        if why is None:
            try:
                preparation = prepare(packet)
                old, new = (side.send_prepared(packet, preparation) for side in self.sides)
            except UnsendableError as error:
                why = str(error)
            else:
                self.record.packets += 1
                if _fate(old) == _fate(new):
                    return
                self.record.said["fares otherwise"] += 1
                if not any(_is_meant(space, packet, new, each) for each in self.pair.changes):
                    yield f"no fix names it, and {_fate(old)} becomes {_fate(new)}: {packet}"
                return
        self.record.unjudged[why] += 1


def _fate(trial: Trial) -> tuple[str, bool]:
    return trial.fate.value, trial.passed


def _is_meant(space: Space, packet: Packet, trial: Trial, change: Change) -> bool:
    """Whether the change is about such a packet, and what became of it is what was meant; what
    passes here may be stopped at a later hook."""
    same, matcher = point(space, packet), Matcher(space, Writes())
    named = any((same & matcher.all_of(t, space.true).may).satisfiable() for t in change.packets)
    passes = change.kind.passes and bool(trial.hooks)
    return named and (is_fate(change.kind, trial) or passes)
