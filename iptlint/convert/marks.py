"""Targets that write: marks, and fields of the header."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from iptlint.convert.asking import Asking, Done, Target, Targets
from iptlint.dialects.iptables.extensions.builders import value_of
from iptlint.dialects.iptables.extensions.row import Uses
from iptlint.dialects.nft.writing.values import NoFormError
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
    if effect.value is None:
        raise NoFormError("nft writes a number there, and cannot count one up or down")
    name = "ip ttl" if asking.ip == "ip" else "ip6 hoplimit"
    return Done(f"{name} set {effect.value}")


def _tos(_: Uses, asking: Asking, effects: Sequence[Effect]) -> Done:
    """The byte is two fields to nft."""
    (effect,) = effects
    mask, value = effect.mask, effect.value
    assert mask is not None
    assert value is not None
    words = []
    for name, part, number, full in (
        ("dscp", mask >> 2, value >> 2, 0x3F),
        ("ecn", mask & 3, value & 3, 3),
    ):
        if part == full:
            words.append(f"{asking.ip} {name} set {number:#x}")
        elif part or number:
            raise NoFormError(f"nft writes {name} as a whole, and not some bits of it")
    return Done(" ".join(words))


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
