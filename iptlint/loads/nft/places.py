"""What works in chains of some families and hooks only, and the check of it.

The kernel looks at every base chain from which packets come to a rule. Rows are those of Linux
6.18, found in its sources and each put to it; where an older one takes less nothing is said.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from iptlint.dialects.nft import tree as t
from iptlint.dialects.nft.lowering.hook_restrictions import Place, place
from iptlint.loads.nft import checks
from iptlint.loads.nft.state import KnownChain, KnownTable, PlacedStatement
from iptlint.loads.nft.trial import Trial
from iptlint.model import Family

_FROM = frozenset(("prerouting", "input", "forward"))
_TO = frozenset(("forward", "output", "postrouting"))
_LINK = frozenset(("ingress", "egress"))

_FIB_IN = Place(_FROM | {"ingress"}, "net/netfilter/nft_fib.c nft_fib_validate")
_FIB_OUT = Place(_TO | {"egress"}, "net/netfilter/nft_fib.c nft_fib_validate")
_EVERY = Place(_FROM | _TO | {"ingress", "egress"}, "net/netfilter/nft_fib.c nft_fib_validate")
_SECPATH = Place(_FROM | {"ingress"}, "net/netfilter/nft_meta.c nft_meta_get_validate_xfrm")

_META = {
    "sdif": place("input forward", "nft_meta.c nft_meta_get_validate_sdif"),
    "sdifname": place("input forward", "nft_meta.c nft_meta_get_validate_sdif"),
    "ipsec": _SECPATH,
    "secpath": _SECPATH,
}
_SOCKET = place("prerouting input output", "nft_socket.c")
_OSF = place("prerouting input forward", "nft_osf.c")
_MTU = Place(_TO, "net/netfilter/nft_rt.c")
_IPSEC = {
    "in": Place(_FROM, "net/netfilter/nft_xfrm.c"),
    "out": Place(_TO, "net/netfilter/nft_xfrm.c"),
}
SET_PKTTYPE = place("prerouting ingress", "nft_meta.c nft_meta_set_validate")


def of_selector(selector: t.Node, family: Family) -> tuple[str, Place] | None:
    """What to call it, and where it works; None where it works everywhere."""
    match selector:
        case t.Meta(key) if key in _META:
            return f"meta {key}", _META[key]
        case t.Socket(key):
            return f"socket {key}", _SOCKET
        case t.Fingerprint():
            return "osf", _OSF
        case t.Routing("mtu"):
            return "rt mtu", _MTU
        case t.Ipsec(direction):
            return f"ipsec {direction}", _IPSEC[direction]
        case t.Fib(flags, result):
            where = _of_fib(flags, result)
            if family is Family.INET:
                where = Place(where.hooks - _LINK, where.decided)
            return "fib", where
    return None


def _of_fib(flags: tuple[str, ...], result: str) -> Place:
    if result != "type":
        return _FIB_IN
    if "iif" in flags:
        return _FIB_IN
    return _FIB_OUT if "oif" in flags else _EVERY


def check_places(table: KnownTable, trial: Trial) -> None:
    """A refusal for each statement that packets of a hook reach which it does not work in."""
    placed = [(chain, each) for chain in table.chains.values() for each in chain.placed]
    if not placed:
        return
    reached = {
        chain.name: set(_reached(table, chain.name))
        for chain in table.chains.values()
        if chain.hook is not None
    }
    for chain, each in placed:
        for base, names in reached.items():
            if chain.name in names and not each.place.takes(
                table.chains[base].hook, table.chains[base].type
            ):
                _refuse(chain, table.chains[base], each, trial)
                break


def _reached(table: KnownTable, name: str) -> Iterator[str]:
    seen, waiting = {name}, [name]
    while waiting:
        current = waiting.pop()
        yield current
        chain = table.chains.get(current)
        if chain is None:
            continue
        for target in called_by(table, chain):
            if target not in seen:
                seen.add(target)
                waiting.append(target)


def called_by(table: KnownTable, chain: KnownChain) -> Iterator[str]:
    """The chains that a chain's rules send packets to."""
    yield from (jump.target for jump in chain.jumps)
    for name in chain.maps:
        if name in table.sets:
            yield from (jump.target for jump in table.sets[name].jumps)


def _refuse(chain: KnownChain, base: KnownChain, placed: PlacedStatement, trial: Trial) -> None:
    called = "" if base is chain else f", which calls {chain.name}"
    kind = f"{base.type or 'filter'} chain {base.name} at {base.hook}{called}"
    cause = f"{placed.word} is refused in the {kind}: it works only in {placed.place}"
    trial.refuse(checks.PLACE, placed.context, placed.node, cause, "move the rule to such a chain")


# -- jumps -------------------------------------------------------------------------------------

DEEPEST = 16
"""Chains that may call each other (NFT_JUMP_STACK_SIZE)."""


def check_jumps(table: KnownTable, trial: Trial) -> None:
    for jump in table.jumps():
        target = table.chains.get(jump.target)
        if target is None:
            cause = f"there is no chain {jump.target} in table {table.family.value} {table.name}"
            mend = f"declare it: `chain {jump.target} {{ }}`"
            trial.refuse(
                checks.NO_CHAIN, jump.context, jump.node, cause, mend, missing=not table.whole
            )
        elif target.hook is not None:
            cause = f"{jump.target} is a base chain, and only a hook calls one"
            mend = (
                f"move its rules to a chain without a hook, and jump there from {jump.target} too"
            )
            trial.refuse(checks.JUMP_TO_BASE, jump.context, jump.node, cause, mend)
    _check_loops(table, trial)


def _check_loops(table: KnownTable, trial: Trial) -> None:
    """A chain that calls itself, by whatever way, if a hook calls it; and too many on one way."""
    depths = _Depths(table, trial)
    for chain in table.chains.values():
        if chain.hook is not None and depths.of(chain) >= DEEPEST and chain.jumps:
            cause = f"more than {DEEPEST} chains call each other from {chain.name} on"
            first = chain.jumps[0]
            trial.refuse(checks.LOOP, first.context, first.node, cause, "make the way shorter")


class _Depths:
    """How many chains call each other from one on, each worked out once. Walked without a call of
    ours for each of theirs, as a file may nest chains by the ten thousand."""

    def __init__(self, table: KnownTable, trial: Trial) -> None:
        self._table = table
        self._trial = trial
        self._known: dict[str, int] = {}

    def of(self, base: KnownChain) -> int:
        way: dict[str, Iterator[str]] = {}
        self._enter(base, way)
        while way:
            name, calls = next(reversed(way.items()))
            called = next((each for each in calls if self._is_new(each, way)), None)
            if called is not None:
                self._enter(self._table.chains[called], way)
                continue
            way.popitem()
            below = called_by(self._table, self._table.chains[name])
            self._known[name] = max((self._known.get(each, 0) for each in below), default=-1) + 1
        return self._known[base.name]

    def _is_new(self, name: str, way: Mapping[str, object]) -> bool:
        return name in self._table.chains and name not in way and name not in self._known

    def _enter(self, chain: KnownChain, way: dict[str, Iterator[str]]) -> None:
        if chain.name in self._known:
            return
        way[chain.name] = called_by(self._table, chain)
        for jump in chain.jumps:
            if jump.target in way:
                cause = f"the jump leads back to {jump.target}: packets would go round for ever"
                self._trial.refuse(checks.LOOP, jump.context, jump.node, cause, "delete the jump")
