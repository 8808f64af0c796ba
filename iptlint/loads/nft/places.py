"""What works in chains of some families and hooks only, and the check of it.

The kernel looks at every base chain from which packets come to a rule. Rows are those of Linux
6.18, found in its sources and each put to it; where an older one takes less nothing is said.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from iptlint.dialects.nft import tree as t
from iptlint.loads.nft import checks
from iptlint.loads.nft.state import KnownChain, KnownTable, PlacedStatement
from iptlint.loads.nft.trial import Trial
from iptlint.model import Family

_FROM = frozenset(("prerouting", "input", "forward"))
_TO = frozenset(("forward", "output", "postrouting"))
_LINK = frozenset(("ingress", "egress"))


@dataclass(frozen=True, slots=True)
class Place:
    """``hooks`` that take it; ``type`` of the chain, None for any. ``decided``: the kernel's
    file."""

    hooks: frozenset[str]
    decided: str
    type: str | None = None

    def takes(self, chain: KnownChain) -> bool:
        return chain.hook in self.hooks and self.type in (None, chain.type)

    def __str__(self) -> str:
        kind = f" of type {self.type}" if self.type else ""
        return f"chains at {' or '.join(sorted(self.hooks))}{kind}"


def _place(hooks: str, decided: str, type: str | None = None) -> Place:
    return Place(frozenset(hooks.split()), f"net/netfilter/{decided}", type)


_TO_DESTINATION = _place("prerouting output", "nft_nat.c", "nat")
_FIB_IN = Place(_FROM | {"ingress"}, "net/netfilter/nft_fib.c nft_fib_validate")
_FIB_OUT = Place(_TO | {"egress"}, "net/netfilter/nft_fib.c nft_fib_validate")
_EVERY = Place(_FROM | _TO | {"ingress", "egress"}, "net/netfilter/nft_fib.c nft_fib_validate")
_SECPATH = Place(_FROM | {"ingress"}, "net/netfilter/nft_meta.c nft_meta_get_validate_xfrm")

NATS = {
    "snat": _place("postrouting input", "nft_nat.c", "nat"),
    "masquerade": _place("postrouting", "nft_masq.c", "nat"),
    "dnat": _TO_DESTINATION,
    "redirect": _place("prerouting output", "nft_redir.c", "nat"),
}
STATEMENTS: dict[type[t.Node], tuple[str, Place]] = {
    t.Tproxy: ("tproxy", _place("prerouting", "nft_tproxy.c")),
    t.Reject: ("reject", _place("prerouting input forward output ingress", "nft_reject.c")),
    t.Synproxy: ("synproxy", _place("input forward", "nft_synproxy.c")),
    t.Fwd: ("fwd", _place("ingress egress", "nft_fwd_netdev.c")),
    t.FlowAdd: ("flow add", _place("forward", "nft_flow_offload.c")),
}
_META = {
    "sdif": _place("input forward", "nft_meta.c nft_meta_get_validate_sdif"),
    "sdifname": _place("input forward", "nft_meta.c nft_meta_get_validate_sdif"),
    "ipsec": _SECPATH,
    "secpath": _SECPATH,
}
_SOCKET = _place("prerouting input output", "nft_socket.c")
_OSF = _place("prerouting input forward", "nft_osf.c")
_MTU = Place(_TO, "net/netfilter/nft_rt.c")
_IPSEC = {
    "in": Place(_FROM, "net/netfilter/nft_xfrm.c"),
    "out": Place(_TO, "net/netfilter/nft_xfrm.c"),
}
SET_PKTTYPE = _place("prerouting ingress", "nft_meta.c nft_meta_set_validate")


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
            place = _of_fib(flags, result)
            if family is Family.INET:
                place = Place(place.hooks - _LINK, place.decided)
            return "fib", place
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
            if chain.name in names and not each.place.takes(table.chains[base]):
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
    depths: dict[str, int] = {}

    def depth(name: str, way: tuple[str, ...]) -> int:
        if name in depths:
            return depths[name]
        chain = table.chains.get(name)
        if chain is None or name in way:
            return 0
        for jump in chain.jumps:
            if jump.target == name or jump.target in way:
                cause = f"the jump leads back to {jump.target}: packets would go round for ever"
                trial.refuse(checks.LOOP, jump.context, jump.node, cause, "delete the jump")
        deepest = max((depth(each, (*way, name)) for each in called_by(table, chain)), default=-1)
        depths[name] = deepest + 1
        return depths[name]

    for chain in table.chains.values():
        if chain.hook is not None and depth(chain.name, ()) >= DEEPEST and chain.jumps:
            cause = f"more than {DEEPEST} chains call each other from {chain.name} on"
            first = chain.jumps[0]
            trial.refuse(checks.LOOP, first.context, first.node, cause, "make the way shorter")
