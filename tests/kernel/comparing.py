"""What ``diff`` says of two rulesets, held against two firewalls that have loaded them.

The witness of a certain change fares with each as is said. Any packet that fares otherwise with
one than with the other is in a change, and one that is in a certain change does fare so.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from ipaddress import ip_address, ip_network
from itertools import chain

import iptlint
from iptlint.analysis.diff import Difference, difference
from iptlint.analysis.divergence import Divergence
from iptlint.model import Family, Hook
from iptlint.model.host_addresses import HostAddresses
from iptlint.packets.packet import Packet
from tests.kernel import chance
from tests.kernel.firewall import KernelFirewall
from tests.kernel.following import (
    DENIED,
    INTERFACES,
    is_fate,
    numbered,
    point,
    unsendable,
    unsure_lines,
)
from tests.kernel.gaps import gap
from tests.kernel.mutations import mutated
from tests.kernel.record import Record
from tests.kernel.restoring import Kind, acceptable
from tests.kernel.sightings import Eyes
from tests.kernel.states import prepare
from tests.kernel.trial import Loaded, Trial, load, on_one_processor
from tests.kernel.wire import UnsendableError

RANDOM_PACKETS = 20
_TRIES = 8
_DISCOVERY = (*range(130, 138), 143)
"""Types of icmpv6 that are never tracked, whatever the rules are."""


_OWN = {
    Hook.INPUT: (ip_network("0.0.0.0/0"), ip_network("::/0")),
    Hook.FORWARD: (),
    Hook.OUTPUT: (),
}
"""Which addresses are the host's, by the way of the packets."""


@dataclass(frozen=True)
class Version:
    """A ruleset as the kernel is given it. ``read``: as iptlint is, where that is another text."""

    text: str
    kind: Kind
    read: str | None = None


@dataclass(frozen=True)
class Contradiction:
    said: str
    packet: Packet
    old: Trial
    new: Trial

    def __str__(self) -> str:
        fates = " and ".join("passed" if t.passed else t.fate.value for t in (self.old, self.new))
        moved = f"{sorted(self.old.moved)} and {sorted(self.new.moved)}"
        return f"{self.said}, but the kernel: {fates}, counted by {moved}: {self.packet}"


def compare(
    old: Version, new: Version, family: str, seed: int, record: Record, *, watch: bool = False
) -> list[str]:
    """The contradictions of one pair, each with both rulesets. ``watch`` what packets become.

    RuntimeError where the kernel refuses one.
    """
    firewalls = KernelFirewall(), KernelFirewall()
    try:
        with on_one_processor():
            eyes = [Eyes(firewall) for firewall in firewalls] if watch else []
            for each in eyes:
                each.have_interfaces(*INTERFACES)
            sides = [
                load(firewall, each.text, each.kind, family)
                for firewall, each in zip(firewalls, (old, new), strict=True)
            ]
            comparer = _Comparer(sides, (old, new), family, record, eyes)
            rng = random.Random(f"diff {seed}")
            found = [*comparer.of_changes(), *comparer.of_packets(rng)]
    finally:
        for firewall in firewalls:
            firewall.close()
    record.rulesets += 1
    texts = "\n---- and the new one\n".join(numbered(each.text) for each in sides)
    return [f"{contradiction}\n{texts}" for contradiction in found]


def mutants(text: str, kind: Kind, family: str, seed: int) -> Iterator[tuple[Version, Version]]:
    """The ruleset and one with a small change, if there is one that the kernel takes."""
    rng = random.Random(f"mutant {seed}")
    firewall = KernelFirewall()
    try:
        if kind is Kind.NFT:
            text = acceptable(firewall, text)
        for _ in range(_TRIES):
            found = mutated(text, rng)
            if found is not None and _is_taken(found, kind, family):
                yield Version(text, kind), Version(found, kind)
                return
    finally:
        firewall.close()


def translated(text: str, family: str) -> str:
    """In the words of nft, as far as the translator has them: the kernel is given the same."""
    tool = "iptables" if family == "ip" else "ip6tables"
    firewall = KernelFirewall()
    try:
        said = firewall.host.run([f"{tool}-restore-translate", "-f", "/dev/stdin"], text)
        words = "\n".join(line for line in said.split("\n") if not line.startswith("#"))
        return acceptable(firewall, words)
    finally:
        firewall.close()


def listed(text: str, family: str) -> str:
    """As nft lists what iptables-nft has loaded; of a match that it has no words for it lists the
    name, and of ``--ports`` only the first of each range."""
    tool = "iptables" if family == "ip" else "ip6tables"
    firewall = KernelFirewall()
    try:
        before = firewall.host.run(["nft", "list", "tables"]).splitlines()
        firewall.host.run([f"{tool}-nft-restore"], text)
        after = firewall.host.run(["nft", "list", "tables"]).splitlines()
        tables = [line.split() for line in after if line not in before]
        return "\n".join(firewall.host.run(["nft", "list", *table]) for table in tables)
    finally:
        firewall.close()


def _is_taken(text: str, kind: Kind, family: str) -> bool:
    firewall = KernelFirewall()
    try:
        load(firewall, text, kind, family)
    except RuntimeError:
        return False
    finally:
        firewall.close()
    return True


class _Comparer:
    def __init__(
        self,
        sides: list[Loaded],
        versions: tuple[Version, Version],
        family: str,
        record: Record,
        eyes: list[Eyes],
    ) -> None:
        self.sides, self.family, self.record, self.eyes = sides, family, record, eyes
        texts = [v.read or side.text for v, side in zip(versions, sides, strict=True)]
        asked = [
            None if v.kind is Kind.NFT or v.read is not None else Family(family) for v in versions
        ]
        old, new = (iptlint.read(t, f) for t, f in zip(texts, asked, strict=True))
        self.unsure = bool(unsure_lines(old) | unsure_lines(new))
        # A packet goes the way that it is sent on, whatever it is translated to: of what is sent to
        # this host all addresses are its own, and of other packets none.
        self.differences: dict[str, Difference] = {
            hook.value: difference(old, new, (hook,), HostAddresses(own, complete=True))
            for hook, own in _OWN.items()
        }
        self.redirects = any("redirect" in text.lower() for text in texts)
        self.values = chance.Values.of("\n".join(texts), family)
        equivalent = all(each.equivalent for each in self.differences.values())
        record.said["equivalent" if equivalent else "different"] += 1

    @property
    def changes(self) -> Iterator[Divergence]:
        """Those on the way that they are told of: others are shared with it."""
        for hook, of_way in self.differences.items():
            yield from (change for change in of_way.changes if change.hook.value == hook)

    def of_changes(self) -> Iterator[Contradiction]:
        for change in self.changes:
            if change.family.value not in ("ip", "ip6"):
                continue
            yield from self._of_change(change)

    def _of_change(self, change: Divergence) -> Iterator[Contradiction]:
        if not change.certain:
            self.record.unjudged["an uncertain change"] += 1
            return
        if change.old.way is not None or change.new.way is not None:
            self.record.unjudged["a packet that is redirected to this host"] += 1
            return
        trials = self._send(change.witness)
        if trials is None:
            return
        same = point(self.differences[change.hook.value].space, change.witness)
        if (same & ~change.packets).satisfiable():
            self.record.unjudged["a connection that something is noted of"] += 1
            return
        kinds = change.old.kind, change.new.kind
        if change.old.answer and change.new.answer:
            self.record.unjudged["another answer"] += 1
            return
        fates = all(is_fate(kind, trial) for kind, trial in zip(kinds, trials, strict=True))
        if fates and (kinds[0] is not kinds[1] or self._looks_otherwise(change.witness, True)):
            self.record.witnesses += 1
            return
        said = f"{kinds[0].value} and {kinds[1].value} are said"
        yield Contradiction(said, change.witness, *trials)

    def _looks_otherwise(self, packet: Packet, unseen: bool) -> bool:
        """Whether it has become another with the one than with the other, where that is seen."""
        seen = [eyes.seen(packet.family) for eyes in self.eyes]
        if not (self.eyes and all(seen)):
            return unseen
        if any(ip_address(sighting.daddr).is_loopback for sighting in chain(*seen)):
            self.record.unjudged["what comes back by lo is not seen there"] += 1
            return unseen
        self.record.said["seen as it becomes"] += 1
        return seen[0] != seen[1]

    def of_packets(self, rng: random.Random) -> Iterator[Contradiction]:
        known = [change.witness for change in self.changes]
        for packet, _ in chance.packets(self.values, known, rng, RANDOM_PACKETS):
            if packet.ct_state == "untracked" and packet.icmp_type not in _DISCOVERY:
                packet = replace(packet, ct_state="new")
            trials = self._send(packet)
            if trials is not None:
                yield from self._of_packet(packet, *trials)

    def _of_packet(self, packet: Packet, old: Trial, new: Trial) -> Iterator[Contradiction]:
        of_way = self.differences.get(packet.hook or "")
        if of_way is None or (packet.hook == "forward" and self.redirects):
            self.record.unjudged["a way that the harness bends"] += 1
            return
        same = point(of_way.space, packet)
        of_it = [
            change
            for change in of_way.changes
            if change.hook.value == packet.hook and (change.packets & same).satisfiable()
        ]
        looks = old.passed and new.passed and self._looks_otherwise(packet, False)
        if looks or (old.passed, old.fate) != (new.passed, new.fate):
            self.record.said["fares otherwise"] += 1
            if not of_it and of_way.certain and not self.unsure:
                yield Contradiction("no difference is said", packet, old, new)
            return
        for change in of_it:
            kinds = change.old.kind, change.new.kind
            is_surely = not (same & ~change.packets).satisfiable()
            unseen = all(k in DENIED for k in kinds) or kinds[0] is kinds[1]
            if change.certain and is_surely and not unseen:
                yield Contradiction(
                    f"{kinds[0].value} and {kinds[1].value} are said", packet, old, new
                )

    def _send(self, packet: Packet) -> tuple[Trial, Trial] | None:
        why = gap(packet) or unsendable(packet)
        if self.eyes and packet.ct_state == "related":
            why = "a related one of the harness was never translated, so nf_nat drops it"
        if why is None:
            for eyes in self.eyes:
                eyes.close()
            try:
                preparation = prepare(packet)
                old, new = (side.send_prepared(packet, preparation) for side in self.sides)
            except UnsendableError as error:
                why = str(error)
            else:
                self.record.packets += 1
                return old, new
        self.record.unjudged[why] += 1
        return None
