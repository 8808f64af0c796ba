"""Matches that test fields of the packet exactly."""

from __future__ import annotations

from iptlint.dialects.diagnostics import InvalidValueError
from iptlint.dialects.iptables.extensions import addresses, values
from iptlint.dialects.iptables.extensions.builders import (
    IP6_ONLY,
    IP_ONLY,
    NEVER,
    Test,
    field_tests,
    just_one,
    masked,
    need_one,
    number,
    opt,
    row,
    within,
)
from iptlint.dialects.iptables.extensions.registries import (
    TOS_NAMES,
)
from iptlint.dialects.iptables.extensions.row import Extension, GivenOption
from iptlint.dialects.uninterpreted import uninterpreted
from iptlint.model import Family, Field, Masked, Match, Within
from iptlint.model.matches import CT_STATES, PKTTYPES
from iptlint.model.protocols import DSCP_CLASSES, tcp_flag_bits

# -- the IP header ------------------------------------------------------------


def _ttl(name: str, *spellings: str, families: tuple[Family, ...]) -> Extension:
    eq, lt, gt = (f"{name}-{operator}" for operator in ("eq", "lt", "gt"))
    by_option: dict[str, Test] = {
        eq: lambda g, _: (Within(Field.TTL, ((number(g), number(g)),), g.negated),),
        lt: lambda g, _: (Within(Field.TTL, ((0, number(g) - 1),)),) if number(g) else NEVER,
        gt: lambda g, _: (
            (Within(Field.TTL, ((number(g) + 1, 255),)),) if number(g) < 255 else NEVER
        ),
    }
    return row(
        name,
        opt(" ".join((eq, *spellings)), values.bits(8), inv=True),
        opt(lt, values.bits(8)),
        opt(gt, values.bits(8)),
        lower=just_one(eq, lt, gt, then=field_tests(by_option)),
        families=families,
    )


def tos(text: str, family: Family) -> tuple[int, int]:
    """``value``, ``value/mask`` or a name, whose mask is 0x3f."""
    known = {name.lower(): value for name, value in TOS_NAMES.items()}
    if text.lower() in known:
        return known[text.lower()], 0x3F
    try:
        return values.value_mask(8)(text, family)
    except InvalidValueError:
        raise InvalidValueError(
            "a TOS value, value/mask or one of " + ", ".join(TOS_NAMES)
        ) from None


def dscp_class(text: str, _: Family) -> int:
    """A class in any case; what follows its name is not looked at (dscp_helper.c)."""
    for name, value in DSCP_CLASSES.items():
        if text.upper().startswith(name.upper()):
            return value
    raise InvalidValueError("a DSCP class (EF, CS1, AF11 …)")


def _dscp_test(given: GivenOption, _: Family) -> tuple[Match, ...]:
    return (Masked(Field.TOS, 0xFC, number(given) << 2, given.negated),)


def _ect_test(given: GivenOption, _: Family) -> tuple[Match, ...]:
    return (Masked(Field.TOS, 3, number(given), given.negated),)


def _flag_test(name: str) -> Test:
    bit = tcp_flag_bits(name)
    return lambda given, _: (Masked(Field.TCP_FLAGS, bit, bit, given.negated),)


# -- link layer, marks --------------------------------------------------------


def _mac_test(given: GivenOption, _: Family) -> tuple[Match, ...]:
    """Negated or not, it matches only packets of Ethernet devices (xt_mac.c)."""
    address = Within(Field.MAC_SOURCE, ((number(given), number(given)),), given.negated)
    return (uninterpreted("mac --ethernet"), address) if given.negated else (address,)


_PKTTYPE_NAMES = {name: index for index, name in enumerate(PKTTYPES)}
_PKTTYPE_NAMES |= {"bcast": 1, "mcast": 2, "host": 0, "otherhost": 3}
pkttype = values.named_number(_PKTTYPE_NAMES, 0, -1, "unicast, broadcast, multicast or otherhost")

HAS_CONNECTION = Within(
    Field.CT_STATE,
    ((CT_STATES.index("invalid"), CT_STATES.index("untracked")),),
    True,
)


def _connmark_test(given: GivenOption, family: Family) -> tuple[Match, ...]:
    """Negated or not, it needs a connection (xt_connmark.c)."""
    return (HAS_CONNECTION, *masked(Field.CT_MARK, 32)(given, family))


# -- the rows -----------------------------------------------------------------


ROWS = (
    row(
        "iprange",
        opt("src-range", addresses.address_range, inv=True),
        opt("dst-range", addresses.address_range, inv=True),
        lower=need_one(
            "src-range",
            "dst-range",
            then=field_tests(
                {
                    "src-range": lambda g, f: within(f.saddr, f.address_bits)(g, f),
                    "dst-range": lambda g, f: within(f.daddr, f.address_bits)(g, f),
                }
            ),
        ),
    ),
    row(
        "length",
        opt("length", values.span(16, inverted=True), inv=True, req=True),
        lower=field_tests({"length": within(Field.LENGTH, 16)}),
    ),
    _ttl("ttl", "ttl", families=IP_ONLY),
    _ttl("hl", "hl", families=IP6_ONLY),
    row(
        "tos", opt("tos", tos, inv=True, req=True), lower=field_tests({"tos": masked(Field.TOS, 8)})
    ),
    row(
        "dscp",
        opt("dscp", values.number(63), inv=True),
        opt("dscp-class", dscp_class, inv=True),
        lower=just_one(
            "dscp", "dscp-class", then=field_tests({"dscp": _dscp_test, "dscp-class": _dscp_test})
        ),
    ),
    row(
        "ecn",
        opt("ecn-tcp-cwr", inv=True),
        opt("ecn-tcp-ece", inv=True),
        opt("ecn-ip-ect", values.number(3), inv=True),
        lower=need_one(
            "ecn-tcp-cwr",
            "ecn-tcp-ece",
            "ecn-ip-ect",
            then=field_tests(
                {
                    "ecn-tcp-cwr": _flag_test("cwr"),
                    "ecn-tcp-ece": _flag_test("ece"),
                    "ecn-ip-ect": _ect_test,
                }
            ),
        ),
    ),
    row(
        "mac",
        opt("mac-source", addresses.mac, inv=True, req=True),
        lower=field_tests({"mac-source": _mac_test}),
        chains="PREROUTING INPUT FORWARD",
    ),
    row(
        "mark",
        opt("mark", values.value_mask(32), inv=True, req=True),
        lower=field_tests({"mark": masked(Field.MARK, 32)}),
    ),
    row(
        "connmark",
        opt("mark", values.value_mask(32), inv=True, req=True),
        lower=field_tests({"mark": _connmark_test}),
    ),
    row(
        "pkttype",
        opt("pkt-type", pkttype, inv=True, req=True),
        lower=field_tests(
            {
                "pkt-type": lambda g, _: (
                    Within(Field.PKTTYPE, ((number(g), number(g)),), g.negated),
                )
            }
        ),
    ),
)
