"""Targets that rewrite marks, and fields of the header.

``tables`` and ``chains`` are those the kernel module registers (net/netfilter/xt_*.c).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import cast

from iptlint.dialects.diagnostics import InvalidValueError
from iptlint.dialects.iptables.extensions import addresses, values
from iptlint.dialects.iptables.extensions.builders import (
    IP6_ONLY,
    IP_ONLY,
    at_most_one,
    counts_as,
    goes_on,
    just_one,
    need_one,
    number_of,
    opt,
    row,
    spell_all,
    value_of,
    write,
    write_exactly,
)
from iptlint.dialects.iptables.extensions.header_matches import dscp_class, tos
from iptlint.dialects.iptables.extensions.row import Extension, ExtensionResult, Lower, Uses
from iptlint.model import Effect, EffectKind, Family, Field, Verdict, VerdictKind
from iptlint.model.protocols import TCP_FLAGS, tcp_flag_bits

# -- marks --------------------------------------------------------------------

_ALL = 0xFFFFFFFF
_XMARK = opt("set-xmark", values.value_mask(32))


def _mark_value(uses: Uses) -> tuple[int, int] | None:
    """(value, mask) of ``mark = mark & ~mask ^ value``; None for save and restore (xt_mark.c)."""
    for name, meaning in _MARK_OPERATIONS.items():
        if name in uses:
            value, mask = mark_pair(value_of(uses, name))
            return meaning(value, mask)
    return None


def mark_pair(argument: object) -> tuple[int, int]:
    if isinstance(argument, int):
        return argument, _ALL
    return cast("tuple[int, int]", argument)


_MARK_OPERATIONS: dict[str, Callable[[int, int], tuple[int, int]]] = {
    "set-xmark": lambda value, mask: (value, mask),
    "set-mark": lambda value, mask: (value, mask | value),
    "and-mark": lambda value, _: (0, ~value & _ALL),
    "or-mark": lambda value, _: (value, value),
    "xor-mark": lambda value, _: (value, 0),
}


def _mark(name: str, field: Field) -> Lower:
    def lower(uses: Uses, family: Family) -> ExtensionResult:
        pair = _mark_value(uses)
        if pair is None:
            return _copy_mark(name, uses)
        value, mask = pair
        options = f"--set-xmark 0x{value:x}/0x{mask:x}"
        return ExtensionResult(
            verdict=Verdict(VerdictKind.CONTINUE, name, None, options),
            effects=(write(field, mask, value),),
        )

    return lower


def _copy_mark(name: str, uses: Uses) -> ExtensionResult:
    """--save-mark and --restore-mark of CONNMARK; --mask is both masks."""
    both = value_of(uses, "mask")
    masks = {n: value_of(uses, n) if n in uses else both for n in ("nfmask", "ctmask")}
    restore = "restore-mark" in uses
    shown = [f"--{n} 0x{_ALL if m is None else m:x}" for n, m in sorted(masks.items())]
    shifts = spell_all({k: v for k, v in uses.items() if k.endswith("shift-mark")})
    action = "--restore-mark" if restore else "--save-mark"
    options = " ".join(filter(None, [action, *shown, shifts]))
    field, source = (Field.MARK, Field.CT_MARK) if restore else (Field.CT_MARK, Field.MARK)
    copied = Effect(EffectKind.WRITE, field, source=source)
    if not shifts:
        # xt_connmark.c: what is read is masked, and flips bits of what is left of the other.
        cleared, read = ("nfmask", "ctmask") if restore else ("ctmask", "nfmask")
        copied = replace(copied, mask=_all_or(masks[cleared]), value=_all_or(masks[read]))
    return ExtensionResult(
        verdict=Verdict(VerdictKind.CONTINUE, name, None, options), effects=(copied,)
    )


def _all_or(mask: object) -> int:
    return mask if isinstance(mask, int) else _ALL


# -- other fields -------------------------------------------------------------


def _hops(name: str, prefix: str, families: tuple[Family, ...]) -> Extension:
    """TTL and HL."""
    to, down, up = (f"{prefix}-{action}" for action in ("set", "dec", "inc"))

    def lower(uses: Uses, family: Family) -> ExtensionResult:
        if to in uses:
            effect = write_exactly(Field.TTL, 8, number_of(uses, to))
        else:
            steps = number_of(uses, up) if up in uses else -number_of(uses, down)
            effect = Effect(EffectKind.WRITE, Field.TTL, added=steps)
        return goes_on(name, effect)(uses, family)

    return row(
        name,
        opt(to, values.bits(8)),
        opt(down, values.number(255, 1)),
        opt(up, values.number(255, 1)),
        lower=just_one(to, down, up, then=lower),
        families=families,
        tables="mangle",
    )


_TOS_OPERATIONS: dict[str, Callable[[int], tuple[int, int]]] = {
    "and-tos": lambda value: (0, ~value & 0xFF),
    "or-tos": lambda value: (value, value),
    "xor-tos": lambda value: (value, 0),
}


def _lower_tos(uses: Uses, _: Family) -> ExtensionResult:
    (name,) = uses
    if name in _TOS_OPERATIONS:
        value, mask = _TOS_OPERATIONS[name](number_of(uses, name))
    else:
        value, mask = mark_pair(value_of(uses, name))
    return ExtensionResult(
        verdict=Verdict(VerdictKind.CONTINUE, "TOS", None, f"--set-tos 0x{value:x}/0x{mask:x}"),
        effects=(write(Field.TOS, mask, value),),
    )


def _lower_dscp(uses: Uses, family: Family) -> ExtensionResult:
    return goes_on("DSCP", write(Field.TOS, 0xFC, number_of(uses, "set-dscp") << 2))(uses, family)


_ECN_VALUES: dict[str, tuple[Field, int, int]] = {
    "ecn-tcp-cwr": (Field.TCP_FLAGS, tcp_flag_bits("cwr"), TCP_FLAGS.index("cwr")),
    "ecn-tcp-ece": (Field.TCP_FLAGS, tcp_flag_bits("ece"), TCP_FLAGS.index("ece")),
    "ecn-ip-ect": (Field.TOS, 3, 0),
}
"""Field, mask and how far the argument is shifted."""


def _lower_ecn(uses: Uses, family: Family) -> ExtensionResult:
    effects = (
        [write(Field.TCP_FLAGS, tcp_flag_bits("ece", "cwr"), 0)] if "ecn-tcp-remove" in uses else []
    )
    for name, (field, mask, shift) in _ECN_VALUES.items():
        if name in uses:
            effects.append(write(field, mask, number_of(uses, name) << shift))
    return goes_on("ECN", *effects)(uses, family)


_HMARK_TESTS = {
    *("hmark-src-prefix", "hmark-dst-prefix", "hmark-sport-mask", "hmark-dport-mask"),
    *("hmark-proto-mask", "hmark-spi-mask"),
}


def _lower_hmark(uses: Uses, family: Family) -> ExtensionResult:
    tested = {name for name in uses if name in _HMARK_TESTS}
    tested |= {
        str(word) for word in cast("tuple[object, ...]", value_of(uses, "hmark-tuple") or ())
    }
    if tested & {"sport", "dport", "hmark-sport-mask", "hmark-dport-mask"} and tested & {
        "spi",
        "hmark-spi-mask",
    }:
        raise InvalidValueError("only one of the spi and the ports")
    if not tested:
        raise InvalidValueError("--hmark-tuple")
    return goes_on("HMARK", write(Field.MARK))(uses, family)


def _prefix64(text: str, family: Family) -> str:
    """xt NPT takes prefixes of at most 64 bits (ip6t_NPT.c)."""
    net = addresses.net(text, family)
    length = addresses.prefix_of(net.mask, family)
    if net.name or length is None or length > 64:
        raise InvalidValueError("an IPv6 prefix of at most 64 bits", refused=True)
    written = text.partition("/")[0]
    if addresses.strict_address(written, family) != net.value:
        raise InvalidValueError("a prefix with nothing behind it", refused=True)
    return addresses.show_net(net, family)


def _prefix_translation(name: str, field: Field, chains: str) -> Extension:
    """Stateless: the packet goes on with another prefix."""
    return row(
        name,
        opt("src-pfx", _prefix64, req=True),
        opt("dst-pfx", _prefix64, req=True),
        lower=goes_on(name, write(field)),
        families=IP6_ONLY,
        tables="mangle",
        chains=chains,
    )


ROWS: tuple[Extension, ...] = (
    row(
        "MARK",
        _XMARK,
        opt("set-mark", values.value_mask(32)),
        *(opt(name, values.bits(32)) for name in ("and-mark", "or-mark", "xor-mark")),
        lower=just_one(*_MARK_OPERATIONS, then=_mark("MARK", Field.MARK)),
    ),
    row(
        "CONNMARK",
        _XMARK,
        opt("set-mark", values.value_mask(32)),
        *(opt(name, values.bits(32)) for name in ("and-mark", "or-mark", "xor-mark")),
        opt("save-mark"),
        opt("restore-mark"),
        *(opt(name, values.bits(32)) for name in ("ctmask", "nfmask", "mask")),
        opt("left-shift-mark", values.number(32)),
        opt("right-shift-mark", values.number(32)),
        lower=just_one(
            *_MARK_OPERATIONS,
            "save-mark",
            "restore-mark",
            then=at_most_one(
                "mask",
                "ctmask",
                then=at_most_one("mask", "nfmask", then=_mark("CONNMARK", Field.CT_MARK)),
            ),
        ),
    ),
    _hops("TTL", "ttl", IP_ONLY),
    _hops("HL", "hl", IP6_ONLY),
    row(
        "TOS",
        opt("set-tos", tos),
        *(opt(name, values.bits(8)) for name in _TOS_OPERATIONS),
        lower=just_one("set-tos", *_TOS_OPERATIONS, then=_lower_tos),
        tables="mangle",
    ),
    row(
        "DSCP",
        (DSCP := opt("set-dscp", values.number(63))),
        opt("set-dscp-class", dscp_class),
        lower=just_one(
            "set-dscp",
            "set-dscp-class",
            then=counts_as("set-dscp-class", DSCP[0], then=_lower_dscp),
        ),
        tables="mangle",
    ),
    row(
        "ECN",
        opt("ecn-tcp-remove"),
        opt("ecn-tcp-cwr", values.number(1)),
        opt("ecn-tcp-ece", values.number(1)),
        opt("ecn-ip-ect", values.number(3)),
        lower=at_most_one(
            "ecn-tcp-remove",
            "ecn-tcp-cwr",
            then=at_most_one(
                "ecn-tcp-remove",
                "ecn-tcp-ece",
                then=need_one("ecn-tcp-remove", *_ECN_VALUES, then=_lower_ecn),
            ),
        ),
        families=IP_ONLY,
        tables="mangle",
    ),
    row(
        "HMARK",
        opt(
            "hmark-tuple",
            values.list_of(values.beginning("ct", "src", "dst", "sport", "dport", "proto", "spi")),
        ),
        *(opt(f"hmark-{name}-prefix", addresses.any_mask) for name in ("src", "dst")),
        *(
            opt(f"hmark-{name}", values.hexadecimal(16))
            for name in ("sport-mask", "dport-mask", "sport", "dport", "proto-mask")
        ),
        *(opt(f"hmark-{name}", values.hexadecimal(32)) for name in ("spi-mask", "spi", "offset")),
        opt("hmark-rnd", values.hexadecimal(32), req=True),
        opt("hmark-mod", values.number(_ALL, 1), req=True),
        lower=_lower_hmark,
    ),
    _prefix_translation("DNPT", Field.DADDR6, "PREROUTING OUTPUT"),
    _prefix_translation("SNPT", Field.SADDR6, "INPUT POSTROUTING"),
    row(
        "IPMARK",
        opt("addr", values.one_of("src", "dst"), req=True),
        *(opt(name, values.bits(32)) for name in ("and-mask", "or-mask", "shift")),
        lower=goes_on("IPMARK", write(Field.MARK)),
    ),
)
