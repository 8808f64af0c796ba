"""The match ``recent``: who was seen, how often, and when last.

xt_recent keeps the times at which an address was noted. That at least ``hitcount`` of them are of
the last ``seconds`` is, with as many sets whose elements go after so many seconds: the address is
in all of them, if each time that it is noted it is put into the next of them in turn. So the last
``hitcount`` times are in one set each, and an element is there as long as its time counts. Further
sets say whose turn it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from iptlint.convert.asking import FULL_MASKS, Asking, Ring, Seen
from iptlint.dialects.iptables.extensions.builders import value_of
from iptlint.dialects.iptables.extensions.row import Uses
from iptlint.dialects.nft.writing.tests import Item, Lines
from iptlint.dialects.nft.writing.values import NoFormError
from iptlint.model import Effect, Match, Uncertain

_SIZE = 65535
_MOST_HITS = 64
"""More sets nobody would want; xt_recent itself keeps as many times as its rules ask for."""


def lists(each: Iterable[Uses]) -> Mapping[str, Seen]:
    """What all rules of one table ask of their lists."""
    known: dict[str, Seen] = {}
    for uses in each:
        name = _name(uses)
        asked = Seen(_side(uses), _mask(uses), _rings(uses), _odd(uses))
        before = known.setdefault(name, asked)
        rings = tuple(dict.fromkeys((*before.rings, *asked.rings)))
        odd = before.odd or asked.odd
        if (before.side, before.mask) != (asked.side, asked.mask):
            odd = "it is asked for by several sides of a packet, or under several masks"
        known[name] = Seen(asked.side, asked.mask, rings, odd)
    return known


def _name(uses: Uses) -> str:
    return str(value_of(uses, "name") or "DEFAULT")


def _side(uses: Uses) -> str:
    return "daddr" if "rdest" in uses else "saddr"


def _mask(uses: Uses) -> str:
    mask = str(value_of(uses, "mask") or FULL_MASKS[0])
    return "" if mask in FULL_MASKS else f" & {mask}"


def _rings(uses: Uses) -> tuple[Ring, ...]:
    return () if "set" in uses else (_ring(uses),)


def _ring(uses: Uses) -> Ring:
    hits, seconds = value_of(uses, "hitcount"), value_of(uses, "seconds")
    return Ring(int(str(hits or 1)) or 1, int(str(seconds)) if seconds else None)


def _odd(uses: Uses) -> str:
    for option in ("rttl", "reap"):
        if option in uses:
            return f"nft has nothing like --{option}"
    if any(given.negated for several in uses.values() for given in several):
        return "nft has nothing like its negation"
    if _ring(uses).hits > _MOST_HITS:
        return f"more than {_MOST_HITS} times"
    return ""


# -- one rule -----------------------------------------------------------------------------------


def recent(
    uses: Uses, asking: Asking, matches: Sequence[Match], effects: Sequence[Effect]
) -> Lines:
    """``matches`` and ``effects``: what the model says of it."""
    name = _name(uses)
    seen = asking.recents[name]
    if seen.odd:
        raise NoFormError(f"the list {name} of the match recent: {seen.odd}")
    sets = _Sets(name, seen, asking)
    if "set" in uses:
        return ((Item("", noting=sets.noting(effects), counts=True),),)
    noting = ""
    if "update" in uses:
        noting = sets.noting(effects)
    elif "remove" in uses:
        noting = sets.forgetting(effects)
    return ((Item(sets.test(_ring(uses), matches), noting=noting),),)


class _Sets:
    """The sets of one list, declared where they are asked for."""

    def __init__(self, name: str, seen: Seen, asking: Asking) -> None:
        self.name = f"recent_{name}"
        self.asking = asking
        self.seen = seen
        self.key = f"{asking.ip} {seen.side}{seen.mask}"
        self.rings = seen.rings or (Ring(1, None),)

    def test(self, ring: Ring, matches: Sequence[Match]) -> str:
        slots = self._slots(ring)
        means = Uncertain("recent", f"recent {self.name} {ring}")
        meanings = self.asking.declarations.meanings
        for place, slot in enumerate(slots):
            meanings.tests[slot] = () if place else (means,)
        meanings.words.update(dict.fromkeys(matches, means))
        return " ".join(f"{self.key} @{slot}" for slot in slots)

    def noting(self, effects: Sequence[Effect]) -> str:
        """In the rule itself where it is one set; else in a chain."""
        declarations = self.asking.declarations
        each = [self._noting(ring) for ring in self.rings]
        if len(each) == 1 and each[0].startswith("update"):
            declarations.meanings.effects[self._slots(self.rings[0])[0]] = tuple(effects)
            return each[0]
        if len(each) == 1:
            chain = each[0].removeprefix("jump ")
        else:
            key = "recent", self.name, "noted", self.asking.family
            chain = declarations.declare("chain", f"{self.name}_noted", key, each)
        declarations.meanings.effects[chain] = tuple(effects)
        return f"jump {chain}"

    def forgetting(self, effects: Sequence[Effect]) -> str:
        declarations = self.asking.declarations
        sets = [
            name for ring in self.rings for name in (*self._slots(ring), *self._turn_sets(ring))
        ]
        key = "recent", self.name, "forgotten", self.asking.family
        body = [f"delete @{name} {{ {self.key} }}" for name in sets]
        chain = declarations.declare("chain", f"{self.name}_forgotten", key, body)
        declarations.meanings.effects[chain] = tuple(effects)
        return f"jump {chain}"

    def _noting(self, ring: Ring) -> str:
        if ring.hits == 1:
            (slot,) = self._slots(ring)
            return f"update @{slot} {{ {self.key} }}"
        key = "recent", self.name, ring, self.asking.family
        suffix = "" if len(self.rings) == 1 else f"_{self.rings.index(ring) + 1}"
        wanted = f"{self.name}_noted{suffix}"
        return (
            f"jump {self.asking.declarations.declare('chain', wanted, key, (*self._turns(ring),))}"
        )

    def _turn_sets(self, ring: Ring) -> list[str]:
        return [self._set(ring, f"turn_{number}") for number in range(2, ring.hits + 1)]

    def _turns(self, ring: Ring) -> Iterator[str]:
        """The rules of the chain: into the set whose turn it is."""
        slots = self._slots(ring)
        turns = ["", *self._turn_sets(ring)]
        for place in range(1, ring.hits):
            after = f" update @{turns[place + 1]} {{ {self.key} }}" if place + 1 < ring.hits else ""
            yield (
                f"{self.key} @{turns[place]} update @{slots[place]} {{ {self.key} }} "
                f"delete @{turns[place]} {{ {self.key} }}{after} return"
            )
        yield f"update @{slots[0]} {{ {self.key} }} update @{turns[1]} {{ {self.key} }}"

    def _slots(self, ring: Ring) -> list[str]:
        if ring.hits == 1:
            return [self._set(ring, "")]
        return [self._set(ring, str(number)) for number in range(1, ring.hits + 1)]

    def _set(self, ring: Ring, suffix: str) -> str:
        timed = ring.seconds is not None
        body = (
            f"type {self.asking.address_type}",
            f"size {_SIZE}",
            f"flags dynamic{',timeout' * timed}",
            *([f"timeout {ring.seconds}s"] if timed else []),
        )
        place = "" if len(self.rings) == 1 else f"_ring_{self.rings.index(ring) + 1}"
        wanted = f"{self.name}{place}{'_' * bool(suffix)}{suffix}"
        key = "recent", wanted, self.asking.family
        return self.asking.declarations.declare("set", wanted, key, body)
