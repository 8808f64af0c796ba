"""Whole exchanges through a host, both directions, and what became of each packet.

Somebody calls somebody, is answered, goes on and is answered again, as long as all of it arrives.
What a station hears it answers as it heard it: whether the caller is answered by whom it called is
the kernel's doing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from enum import Enum

from tests.kernel.connections import Connections
from tests.kernel.counters import CounterReader, Counts, labelled
from tests.kernel.datagrams import ICMP, ICMP6, RST, TCP, Datagram, answer, continuation, opening
from tests.kernel.packet_log import Entry
from tests.kernel.restoring import Kind, restore
from tests.kernel.topology import Frame, Station, Topology
from tests.kernel.trial import on_one_processor


class End(Enum):
    """Of a packet's way."""

    LEFT = "left"  # by a wire
    DELIVERED = "delivered"  # to the host itself
    RESET = "reset"  # stopped, and the sender was told by tcp
    UNREACHABLE = "unreachable"  # stopped, and the sender was told by icmp
    EXCEEDED = "exceeded"  # its way was too long, and the sender was told
    DROPPED = "dropped"


@dataclass(frozen=True)
class Call:
    """Who opens the exchange: a station, or the host itself (None). ``dport`` of an echo is 0."""

    caller: Station | None
    saddr: str
    daddr: str
    proto: int = TCP
    sport: int = 40000
    dport: int = 80

    def __str__(self) -> str:
        return f"{self.caller.name if self.caller else 'host'}: {self.opening}"

    @property
    def opening(self) -> Datagram:
        return opening(self.saddr, self.daddr, self.proto, self.sport, self.dport)


@dataclass(frozen=True)
class Passage:
    """One packet. ``sender``, and ``by`` whom it was heard: a station, or the host itself (None).
    ``heard``: what it was like then; ``out``: the interface that it left by. ``entries``: as the
    hooks saw it, in order; ``moved``: the lines of the rules that counted it, or what was told.
    ``told``: errors that came back to the sender; ``telling``: the host tried to. ``bypassed``: it
    never saw the packet."""

    sender: Station | None
    sent: Datagram
    end: End
    heard: Datagram | None = None
    by: Station | None = None
    out: str | None = None
    mark: int = 0
    told: tuple[Datagram, ...] = ()
    telling: bool = False
    entries: tuple[Entry, ...] = field(default=(), repr=False)
    moved: frozenset[int] = frozenset()
    bypassed: bool = False

    def __str__(self) -> str:
        where = (
            f" by {self.out or (self.by.wire if self.by else None)}" if self.end is End.LEFT else ""
        )
        heard = f" as {self.heard}" if self.heard and str(self.heard) != str(self.sent) else ""
        lines = f" (lines {', '.join(map(str, sorted(self.moved)))})" if self.moved else ""
        around = ", without the host" if self.bypassed else ""
        return f"{self.sent}: {self.end.value}{where}{heard}{lines}{around}"

    @property
    def arrived(self) -> bool:
        return self.end in (End.LEFT, End.DELIVERED)

    @property
    def hooks(self) -> tuple[str, ...]:
        """Those it came to, in order."""
        return tuple(entry.hook for entry in self.entries if not entry.is_last)


@dataclass(frozen=True)
class Exchange:
    """The passages by turns, the caller's first. ``works``: all four arrived, and the answers came
    from whom the caller had called."""

    call: Call
    passages: tuple[Passage, ...]

    def __str__(self) -> str:
        verdict = "works" if self.works else "does not work"
        return "\n  ".join([f"{self.call} {verdict}", *map(str, self.passages)])

    @property
    def works(self) -> bool:
        return len(self.passages) == 4 and all(self.is_answered(turn) for turn in (0, 2))

    def is_answered(self, turn: int) -> bool:
        """Whether the caller heard an answer to what it had asked then."""
        passages = self.passages[turn : turn + 2]
        return len(passages) == 2 and answers(*passages)


def answers(asked: Passage, answered: Passage) -> bool:
    """As the caller knows it: by addresses and ports."""
    if answered.heard is None or answered.by is not asked.sender:
        return False
    return answered.heard.ends == asked.sent.reverse_ends


@dataclass(frozen=True)
class Host:
    """A ruleset in the kernel of a host between networks. ``text`` has the line of each rule in
    its comment."""

    topology: Topology
    text: str
    readers: tuple[CounterReader, ...]

    @classmethod
    def with_rules(
        cls, topology: Topology, text: str, kind: Kind = Kind.LEGACY, family: str = "ip"
    ) -> Host:
        """RuntimeError where the kernel refuses them."""
        text = labelled(text)
        return cls(topology, text, restore(topology, text, kind, family))

    def exchange(self, call: Call) -> Exchange:
        with on_one_processor():
            return Exchange(call, tuple(self._passages(call)))

    def forget(self) -> None:
        """All connections."""
        Connections(self.topology.netlink).forget()

    def _passages(self, call: Call) -> Iterator[Passage]:
        first = asked = self.pass_through(call.caller, call.opening)
        yield first
        while asked.arrived and asked.heard is not None:
            answered = self.pass_through(asked.by, answer(asked.heard))
            yield answered
            if asked is not first or answered.heard is None or not answers(first, answered):
                return
            asked = self.pass_through(call.caller, continuation(call.opening, answered.heard))
            yield asked

    def pass_through(self, sender: Station | None, sent: Datagram) -> Passage:
        before = self._counts()
        if sender is None:
            self.topology.emit(sent)
        else:
            self.topology.send(sender, sent)
        frames, entries = self.topology.settle()
        passage = self._passage(sender, sent, frames, entries)
        moved = frozenset(line for line, count in (self._counts() - before).items() if count)
        return replace(passage, moved=moved)

    def counted(self, station: Station, family: str, data: bytes) -> frozenset[int]:
        """The lines of the rules that count a packet from the station, whatever it is."""
        with on_one_processor():
            before = self._counts()
            self.topology.send_bytes(station, family, data)
            self.topology.settle()
            return frozenset(self._counts() - before)

    def _counts(self) -> Counts:
        return sum((reader.read() for reader in self.readers), Counts())

    def _passage(
        self, sender: Station | None, sent: Datagram, frames: list[Frame], entries: list[Entry]
    ) -> Passage:
        neighbour = sender and self.topology.neighbour(sender, sent)
        if sender and neighbour and sender.wire == neighbour.wire:
            return Passage(sender, sent, End.LEFT, sent, neighbour, bypassed=True)
        own = tuple(entry for entry in entries if not _is_told(entry.datagram, sent))
        passage = Passage(sender, sent, End.DROPPED, entries=own, mark=own[-1].mark if own else 0)
        for frame in frames:
            if not _is_told(frame.datagram, sent):
                oif = self.topology.interfaces.get(own[-1].oif) if own else None
                by = self.topology.hears(frame)
                return replace(passage, end=End.LEFT, heard=frame.datagram, by=by, out=oif)
        if own and (own[-1].hook, own[-1].is_last) == ("input", True):
            return replace(passage, end=End.DELIVERED, heard=own[-1].datagram)
        told = self._told(sender, sent, frames, entries)
        return replace(passage, end=_end(told), told=told, telling=len(own) < len(entries))

    def _told(
        self, sender: Station | None, sent: Datagram, frames: list[Frame], entries: list[Entry]
    ) -> tuple[Datagram, ...]:
        if sender is None:
            heard = [e.datagram for e in entries if e.hook == "input" and e.is_last]
        else:
            heard = [frame.datagram for frame in frames if frame.wire == sender.wire]
        return tuple(one for one in heard if _is_told(one, sent))


_TIME_EXCEEDED = {ICMP: 11, ICMP6: 3}


def _is_told(datagram: Datagram, sent: Datagram) -> bool:
    """It is not what was sent, but an error about that."""
    is_reset = bool(datagram.flags & RST) and not sent.flags & RST
    return is_reset or (datagram.is_error() and not sent.is_error())


def _end(told: tuple[Datagram, ...]) -> End:
    if not told:
        return End.DROPPED
    kind = told[0].icmp
    if kind is None:
        return End.RESET
    return End.EXCEEDED if kind[0] == _TIME_EXCEEDED[told[0].proto] else End.UNREACHABLE
