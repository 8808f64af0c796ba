"""Targets that write: marks, and fields of the header."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from typing import NamedTuple, cast

from iptlint.convert.asking import Asking, Done, Target, Targets
from iptlint.dialects.iptables.extensions.builders import value_of
from iptlint.dialects.iptables.extensions.row import Uses
from iptlint.dialects.nft.writing.values import NoFormError, one_of
from iptlint.model import Effect, EffectKind, Field

_ALL = 0xFFFFFFFF


def changed(selector: str, mask: int, value: int, width: int = 32) -> str:
    """``field & ~mask ^ value``, in the fewest words."""
    full = (1 << width) - 1
    if mask == full:
        return f"{selector} set {value:#x}"
    kept = f"{selector} & {~mask & full:#x}" if mask else selector
    if not value:
        return f"{selector} set {kept}"
    if mask & value == value:
        # What is cleared before is set: one word where it is all that is cleared.
        whole = selector if mask == value else kept
        return f"{selector} set {whole} | {value:#x}"
    return f"{selector} set {kept} ^ {value:#x}"


def _mark(selector: str) -> Target:
    def row(_: Uses, asking: Asking, effects: Sequence[Effect]) -> Done:
        (effect,) = effects
        if effect.source is not None or effect.kind is not EffectKind.WRITE:
            return Done(_copied(effect, asking))
        assert effect.mask is not None
        assert effect.value is not None
        return Done(changed(selector, effect.mask, effect.value))

    return row


def _copied(effect: Effect, asking: Asking) -> str:
    """One mark written to the other. nft joins no two of them, so that of some bits each is looked
    at."""
    target, source = ("ct mark", "meta mark")
    if effect.field is Field.MARK:
        target, source = source, target
    if effect.mask is None or effect.value is None:
        raise NoFormError("nft shifts no mark that it copies")
    if effect.mask != _ALL:
        body = tuple(_bit_by_bit(target, source, effect.mask, effect.value))
        name = f"{target.replace(' ', '_')}_from_{source.replace(' ', '_')}"
        chain = asking.declarations.declare("chain", name, effect, body)
        asking.declarations.meanings.effects[chain] = (effect,)
        return f"jump {chain}"
    masked = "" if effect.value == _ALL else f" & {effect.value:#x}"
    return f"{target} set {source}{masked}"


def _bit_by_bit(target: str, source: str, mask: int, value: int) -> Iterator[str]:
    """The rules of a chain: what is written over is cleared, where there is a connection; then
    each bit that is set is set, or flips what is kept."""
    yield f"ct state != {{ invalid, untracked }} {changed(target, mask, 0)}"
    for bit in (1 << number for number in range(32)):
        if value & bit:
            yield f"{source} & {bit:#x} == {bit:#x} {changed(target, mask & bit, bit)}"


def _hops(uses: Uses, asking: Asking, effects: Sequence[Effect]) -> Done:
    (effect,) = effects
    name = "ip ttl" if asking.ip == "ip" else "ip6 hoplimit"
    if effect.value is not None:
        return Done(f"{name} set {effect.value}")
    ((option, (given,)),) = uses.items()
    number = cast(int, given.values[0])
    way, body = ("down", _down) if option.endswith("-dec") else ("up", _up)
    chain = asking.declarations.declare(
        "chain", f"{name.split()[1]}_{way}_by_{number}", (option, number), tuple(body(name, number))
    )
    asking.declarations.meanings.effects[chain] = (effect,)
    return Done(f"jump {chain}")


def _up(name: str, number: int) -> Iterator[str]:
    """A rule for each number, the highest first: what one has written, none behind it takes. It
    ends at 255 (xt_HL.c)."""
    yield f"{name} >= {255 - number} {name} set 255 return"
    yield from (f"{name} {old} {name} set {old + number}" for old in range(254 - number, -1, -1))


def _down(name: str, number: int) -> Iterator[str]:
    """The lowest first; it ends at 0."""
    yield f"{name} <= {number} {name} set 0 return"
    yield from (f"{name} {old} {name} set {old - number}" for old in range(number + 1, 256))


def _tos(_: Uses, asking: Asking, effects: Sequence[Effect]) -> Done:
    """The byte is two fields to nft, each written as a whole."""
    (effect,) = effects
    mask, value = effect.mask, effect.value
    assert mask is not None
    assert value is not None
    fields = (
        _Bits(f"{asking.ip} dscp", 0x3F, mask >> 2, value >> 2),
        _Bits(f"{asking.ip} ecn", 3, mask & 3, value & 3),
    )
    if all(bits.mask == bits.full or not bits.mask | bits.value for bits in fields):
        return Done(" ".join(f"{b.name} set {b.value:#x}" for b in fields if b.mask))
    chain = asking.declarations.declare(
        "chain", f"tos_{value:#04x}_of_{mask:#04x}", effect, tuple(_by_what_it_is(*fields))
    )
    asking.declarations.meanings.effects[chain] = (effect,)
    return Done(f"jump {chain}")


class _Bits(NamedTuple):
    """``field & ~mask ^ value``, of a field with the bits ``full``."""

    name: str
    full: int
    mask: int
    value: int

    def ways(self) -> Iterator[tuple[str, str]]:
        """What it may be, and what is written then."""
        before: dict[int, list[int]] = {}
        for old in range(self.full + 1):
            before.setdefault(old & ~self.mask ^ self.value, []).append(old)
        for new, olds in before.items():
            in_a_row = olds[-1] - olds[0] == len(olds) - 1 and len(olds) > 1
            values = f"{olds[0]:#x}-{olds[-1]:#x}" if in_a_row else one_of([*map(hex, olds)])
            test = "" if len(before) == 1 else f"{self.name} {values}"
            yield test, "" if olds == [new] else f"{self.name} set {new:#x}"


def _by_what_it_is(dscp: _Bits, ecn: _Bits) -> Iterator[str]:
    """The rules of a chain: a packet goes back once it is written."""
    for (one, writes_one), (other, writes_other) in product(dscp.ways(), ecn.ways()):
        written = " ".join(filter(None, (writes_one, writes_other)))
        if written:
            yield " ".join(filter(None, (one, other, written, "return")))


def _ecn(uses: Uses, asking: Asking, effects: Sequence[Effect]) -> Done:
    words = []
    for effect in effects:
        if effect.field is not Field.TOS:
            raise NoFormError("nft writes the flags of tcp as a whole, and not some of them")
        words.append(f"{asking.ip} ecn set {effect.value:#x}")
    return Done(" ".join(words))


def _mss(uses: Uses, asking: Asking, effects: Sequence[Effect]) -> Done:
    """Both only make it smaller (xt_TCPMSS.c, nft_exthdr_tcp_set_eval). Where --clamp-mss-to-pmtu
    may stand, a packet has its route."""
    asking.declarations.meanings.tests["has a route"] = ()
    size = value_of(uses, "set-mss")
    return Done(f"tcp option maxseg size set {'rt mtu' if size is None else size}")


MARKS: Targets = {
    "MARK": _mark("meta mark"),
    "CONNMARK": _mark("ct mark"),
    **dict.fromkeys(("TTL", "HL"), _hops),
    **dict.fromkeys(("TOS", "DSCP"), _tos),
    "ECN": _ecn,
    "TCPMSS": _mss,
}
