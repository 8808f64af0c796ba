"""What is open to the internet, of all that was asked about it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from iptlint.analysis.answers import Answer, Ending
from iptlint.analysis.trace_conditions import DOES_NOT_HOLD, LEAVES_BY
from iptlint.model import Family, Hook
from iptlint.model.matches import Ranges
from iptlint.netfilter.packet_group import Decision

ANY = ("any packet",)
_WITH_PORTS = ("tcp", "udp")


@dataclass(frozen=True, slots=True)
class Opening:
    """Ports that the internet gets to. ``way``: input for what is sent to this host, forward for
    what is sent to others behind it. ``sure``: for everyone there, if need be ``at_a_rate``; else
    for those packets that ``only`` names, which says of a rate what it is, too. ``by``: who lets
    them in; None where nothing stands in the way. ``callers``: from where. ``becomes``: to where
    they are sent on, address and port. ``everyone``: as far as packets tell, as long as tests
    do not hold that take some out, as a count of those that came before."""

    protocol: str
    ports: Ranges
    way: Hook
    sure: bool
    at_a_rate: bool
    families: tuple[Family, ...]
    callers: tuple[str, ...]
    by: Decision | None
    becomes: tuple[tuple[str | None, int | None], ...] = ()
    only: tuple[str, ...] = ()
    everyone: bool = True

    @property
    def is_all(self) -> bool:
        return self.ports == ((0, 65535),)


def openings(answers: Iterable[Answer]) -> tuple[Opening, ...]:
    """Those that are sure first, in the order of their ports. What is the same in IPv4 and IPv6,
    or by several interfaces, is one."""
    by_kind: dict[object, Opening] = {}
    for answer in answers:
        if answer.caller.world and answer.protocol in _WITH_PORTS:
            for opening in _of(answer):
                key = _key(opening)
                by_kind[key] = _joined(by_kind[key], opening) if key in by_kind else opening
    return tuple(
        sorted(by_kind.values(), key=lambda o: (not o.sure, o.ports, o.protocol, o.at_a_rate))
    )


def _of(answer: Answer) -> Iterator[Opening]:
    for ending in answer.endings:
        if ending.sure:
            yield _opening(answer, ending, ending.sure, sure=True)
        if ending.at_a_rate:
            yield _opening(answer, ending, ending.at_a_rate, sure=True, at_a_rate=True)
        if answer.caller.way is not Hook.INPUT:
            continue
        if ending.usually:
            yield _on_condition(answer, ending)
        if ending.perhaps:
            yield _opening(answer, ending, ending.perhaps, sure=False)


def _opening(
    answer: Answer, ending: Ending, ports: Ranges, *, sure: bool, at_a_rate: bool = False
) -> Opening:
    new = ending.becomes
    moved = new is not None and (new.daddr, new.dport) != (
        ending.witness.daddr,
        ending.witness.dport,
    )
    return Opening(
        answer.protocol,
        ports,
        answer.caller.way,
        sure,
        at_a_rate,
        (answer.caller.family,),
        (answer.caller.name,),
        ending.decision,
        ((new.daddr, new.dport),) if new is not None and moved else (),
        _only(ending) if at_a_rate or not sure else (),
        sure,
    )


def _on_condition(answer: Answer, ending: Ending) -> Opening:
    """What has to hold (a list that one is on, a time) lets in a few, or now and then; where a
    packet is sent on to, the routes of the host say."""
    opening = _opening(answer, ending, ending.usually, sure=False)
    if any(
        not each.endswith(DOES_NOT_HOLD) and LEAVES_BY not in each for each in ending.conditions
    ):
        return opening
    return replace(opening, only=ending.conditions, everyone=True)


def _only(ending: Ending) -> tuple[str, ...]:
    """Of packets of which any may end so, what had to hold beside."""
    packets = ending.packets if ending.packets != ANY else ()
    return (*packets, *ending.conditions)


def _key(opening: Opening) -> object:
    """One where the same ports are open in the same way, whichever rule says so."""
    only = () if opening.sure else opening.only
    return opening.protocol, opening.ports, opening.way, opening.sure, opening.at_a_rate, only


def _joined(one: Opening, other: Opening) -> Opening:
    return replace(
        one,
        families=tuple(dict.fromkeys((*one.families, *other.families))),
        callers=tuple(dict.fromkeys((*one.callers, *other.callers))),
        becomes=tuple(dict.fromkeys((*one.becomes, *other.becomes))),
    )
