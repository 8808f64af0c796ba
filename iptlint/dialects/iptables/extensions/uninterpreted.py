"""Matches the tool does not interpret: pure tests kept as one Boolean each."""

from __future__ import annotations

import re
from typing import cast

from iptlint.dialects.diagnostics import Fate, InvalidValueError
from iptlint.dialects.iptables.extensions import addresses, values
from iptlint.dialects.iptables.extensions.builders import (
    IP_ONLY,
    NEVER,
    all_given,
    at_most_one,
    counts_as,
    each_opaque,
    joint,
    just_one,
    need_one,
    number_of,
    one_option,
    only_where,
    opt,
    pure,
    row,
    spell,
    spell_all,
    value_of,
)
from iptlint.dialects.iptables.extensions.header_matches import HAS_CONNECTION
from iptlint.dialects.iptables.extensions.places import INCOMING, OUTGOING, chains_with
from iptlint.dialects.iptables.extensions.row import ExtensionResult, GivenOption, Uses
from iptlint.dialects.uninterpreted import uninterpreted
from iptlint.model import AnyOf, Family, Field, Match
from iptlint.model.matches import AddressType, BridgePort
from iptlint.model.numbers import c_number, is_decimal
from iptlint.model.protocols import AH, COMP, ESP

# -- devices, routing ---------------------------------------------------------


_ROUTE_TYPES = [
    "UNSPEC",
    "UNICAST",
    "LOCAL",
    "BROADCAST",
    "ANYCAST",
    "MULTICAST",
    "BLACKHOLE",
    "UNREACHABLE",
    "PROHIBIT",
    "THROW",
    "NAT",
    "XRESOLVE",
]


def _lower_addrtype(uses: Uses, family: Family) -> ExtensionResult:
    """--limit-iface-in and -out are part of both tests."""
    limits = "".join(f" --{name}" for name in sorted(uses) if name.startswith("limit"))
    tests = (_address_type(given, family, limits) for given in all_given(uses) if given.values)
    return ExtensionResult(tuple(tests))


_NOT_OF_IP6 = {"BROADCAST", "BLACKHOLE", "PROHIBIT", "THROW", "NAT", "XRESOLVE"}


def _types_of_family(uses: Uses, family: Family) -> InvalidValueError | None:
    """What addrtype_mt_checkentry_v1 does not know of IPv6 (xt_addrtype.c)."""
    given = [g for g in all_given(uses) if g.values]
    types = {str(word) for g in given for word in cast("tuple[object, ...]", g.values[0])}
    wrong = sorted(types & _NOT_OF_IP6)
    if family is Family.IP6 and wrong:
        expected = f"a type that addresses of IPv6 have, not {wrong[0]}"
        return InvalidValueError(expected, fate=Fate.AT_COMMIT)
    return None


def _address_type(given: GivenOption, family: Family, limits: str) -> Match:
    """One of the types holds, or all of them at once.

    For ip6 the kernel asks the address for some of them, not the routes, and all of those in a
    list have to hold (match_type6 in xt_addrtype.c).
    """
    types = tuple(map(str, cast("tuple[object, ...]", given.values[0])))
    field = Field.SADDR if given.option.name == "src-type" else Field.DADDR
    if family is Family.IP6 and (len(types) > 1 or types[0] in ("UNICAST", "UNSPEC")):
        asks = AddressType(field, types, by_route=False)
        words = {f"{','.join(types)} of ip6{limits}": asks}
    else:
        words = {t + limits: AddressType(field, (t,), by_route=not limits) for t in types}
    return each_opaque("addrtype", given.option.name, words, negated=given.negated)


def _realm(text: str, family: Family) -> str:
    """A name of /etc/iproute2, or ``value/mask``."""
    if not text.partition("/")[0]:
        raise InvalidValueError("a realm: its name, or a number and a mask")
    shown = values.shown_mask(32)(text, family) if is_decimal(text[:1]) else text
    return str(shown).removesuffix("/0xffffffff")


def _lower_realm(uses: Uses, family: Family) -> ExtensionResult:
    """A value with bits outside its mask never equals what is left of the realm."""
    (given,) = uses["realm"]
    value, _, mask = (c_number(part) for part in str(given.values[0]).partition("/"))
    if value is not None and mask is not None and value & ~mask:
        return ExtensionResult(() if given.negated else NEVER)
    return pure("realm")(uses, family)


def _within_cluster(uses: Uses, _: Family) -> InvalidValueError | None:
    """cluster_check of libxt_cluster.c."""
    total = number_of(uses, "cluster-total-nodes")
    names = ("cluster-local-node", "cluster-local-nodemask")
    nodes = [c_number(str(value_of(uses, name))) for name in names if name in uses]
    if all(mask is not None and mask < 1 << total for mask in nodes):
        return None
    return InvalidValueError(f"no node above --cluster-total-nodes {total}", refused=True)


def _lower_cluster(uses: Uses, family: Family) -> ExtensionResult:
    """Negated or not, it needs a connection (xt_cluster.c)."""
    key = joint("cluster", "cluster-local-nodemask")
    return ExtensionResult((HAS_CONNECTION, *key(uses, family).matches))


def _lower_helper(uses: Uses, family: Family) -> ExtensionResult:
    """A helper's name need only be how the name given begins (xt_helper.c): ``ftp-21`` takes
    the connections of ``ftp`` too, which is what a helper is called at its usual port
    (nf_ct_helper_init)."""
    (given,) = uses["helper"]
    name = str(given.values[0])
    tests = (uninterpreted(f"helper --helper {each}") for each in helpers_named(name))
    alternatives = tuple((HAS_CONNECTION, test) for test in tests)
    return ExtensionResult((AnyOf(alternatives, given.negated),))


_AT_A_PORT = re.compile(r"(.+)-[0-9]+")


def helpers_named(name: str) -> tuple[str, ...]:
    """The helpers that ``--helper name`` takes."""
    of_port = _AT_A_PORT.fullmatch(name)
    return (name,) if of_port is None else (of_port[1], name)


_HAS_SOCKET: tuple[Match, ...] = (uninterpreted("cgroup there"),)
"""Negated or not, xt_cgroup.c needs a socket."""

_OF_A_SYN: tuple[Match, ...] = (uninterpreted("osf there"),)
"""Negated or not, only the first packet of a tcp connection is looked at (nf_osf_match)."""


def _node(text: str, _: Family) -> str:
    return f"0x{1 << (values.integer(text, 1, 32) - 1):x}"


# -- ipsec --------------------------------------------------------------------

_SPI = values.hexadecimal(32)
_TRANSFORMS = (ESP, AH, COMP)


def _transform(text: str, family: Family) -> int:
    number = addresses.protocol(text, family)
    if number not in _TRANSFORMS:
        raise InvalidValueError("esp, ah or ipcomp", refused=True)
    return number


_POLICY_ELEMENT = ("reqid", "spi", "proto", "mode", "tunnel-src", "tunnel-dst")


def _lower_policy(uses: Uses, _: Family) -> ExtensionResult:
    """``none`` is the complement of ``ipsec``; elements keep their order, --next parts them."""
    if "dir" not in uses:
        raise InvalidValueError("--dir")
    elements = [name for name in _POLICY_ELEMENT if name in uses]
    none = value_of(uses, "pol") == "none"
    if none and elements:
        raise InvalidValueError("--pol ipsec with the tests of an element")
    if "strict" in uses and not elements:
        raise InvalidValueError("at least one test of an element beside --strict")
    tunnels = {"tunnel-src", "tunnel-dst"} & {*uses}
    if tunnels and not any(map(_is_tunnel, uses.get("mode", ()))):
        raise InvalidValueError("--mode tunnel beside --tunnel-src or --tunnel-dst")
    if "next" in uses and "strict" not in uses:
        raise InvalidValueError("--strict beside --next")
    several = len(uses.get("next", ())) + 1
    for name in elements:
        if len(uses[name]) > several:
            raise InvalidValueError(f"--{name} only once an element, and --next between them")
    return ExtensionResult((uninterpreted("policy " + _policy_key(uses), none),))


def _is_tunnel(mode: GivenOption) -> bool:
    return mode.negated is not (mode.values[0] == "tunnel")


def _policy_key(uses: Uses) -> str:
    """What is tested is ipsec where --pol is left out."""
    key = spell_all(uses).replace("--pol none", "--pol ipsec")
    return key if "pol" in uses else " ".join(sorted((key, "--pol ipsec")))


# -- clusters, ports of bridges ------------------------------------------------


_NODES = opt("cluster-local-nodemask", values.hexadecimal(32, 1), inv=True)
_PHYSDEV_FLAGS = ("physdev-is-in", "physdev-is-out", "physdev-is-bridged")
_CAME_BY_PORT = ("physdev-in", "physdev-is-in")


def _lower_physdev(uses: Uses, _: Family) -> ExtensionResult:
    tests = (
        uninterpreted(f"physdev {spell(given)}", given.negated, _port(given))
        for given in all_given(uses)
    )
    return ExtensionResult(tuple(tests))


def _port(given: GivenOption) -> BridgePort:
    """What is bridged is what leaves by a port (xt_physdev.c)."""
    field = Field.IIF if given.option.name in _CAME_BY_PORT else Field.OIF
    if not given.values:
        return BridgePort(field)
    name = str(given.values[0])
    return BridgePort(field, name.removesuffix("+"), name.endswith("+"))


def _physdev_chains(uses: Uses) -> tuple[str, ...]:
    """A packet of the host itself has no port to leave by yet, unless it is only bridged
    (physdev_mt_check)."""
    bridged = any(not given.negated for given in uses.get("physdev-is-bridged", ()))
    leaves = "physdev-out" in uses or "physdev-is-out" in uses
    return ("PREROUTING", "INPUT", "FORWARD", "POSTROUTING") if leaves and not bridged else ()


def _group_chains(uses: Uses) -> tuple[str, ...]:
    ways = [INCOMING] * ("src-group" in uses) + [OUTGOING] * ("dst-group" in uses)
    return ("FORWARD",) if len(ways) > 1 else ways[0]


def _policy_chains(uses: Uses) -> tuple[str, ...]:
    return INCOMING if value_of(uses, "dir") == "in" else OUTGOING


ROWS = (
    row(
        "addrtype",
        opt("src-type", values.list_of(values.beginning(*_ROUTE_TYPES)), inv=True),
        opt("dst-type", values.list_of(values.beginning(*_ROUTE_TYPES)), inv=True),
        opt("limit-iface-in"),
        opt("limit-iface-out"),
        lower=need_one(
            "src-type",
            "dst-type",
            then=at_most_one("limit-iface-in", "limit-iface-out", then=_lower_addrtype),
        ),
        checks=(_types_of_family,),
        chains_for=chains_with(limit_iface_in=INCOMING, limit_iface_out=OUTGOING),
    ),
    row(
        "physdev",
        opt("physdev-in", values.interface, inv=True),
        opt("physdev-out", values.interface, inv=True),
        *(opt(flag, inv=True) for flag in _PHYSDEV_FLAGS),
        lower=need_one("physdev-in", "physdev-out", *_PHYSDEV_FLAGS, then=_lower_physdev),
        chains_for=_physdev_chains,
    ),
    row(
        "devgroup",
        opt("src-group", _realm, inv=True),
        opt("dst-group", _realm, inv=True),
        lower=need_one("src-group", "dst-group", then=pure("devgroup")),
        chains_for=_group_chains,
    ),
    row(
        "realm",
        opt("realm", _realm, inv=True, req=True),
        lower=_lower_realm,
        families=IP_ONLY,
        chains="INPUT FORWARD OUTPUT POSTROUTING",
    ),
    one_option("cpu", "cpu", values.bits(32)),
    one_option("helper", "helper", values.anything, lower=_lower_helper),
    row(
        "cgroup",
        opt("cgroup", values.bits(32), inv=True),
        opt("path", values.anything, inv=True),
        lower=just_one("cgroup", "path", then=only_where(_HAS_SOCKET, pure("cgroup"))),
        chains="INPUT OUTPUT POSTROUTING",
    ),
    row(
        "cluster",
        opt("cluster-total-nodes", values.number(32, 1), req=True),
        opt("cluster-local-node", _node, inv=True),
        _NODES,
        opt("cluster-hash-seed", values.hexadecimal(32), req=True),
        lower=just_one(
            "cluster-local-node",
            "cluster-local-nodemask",
            then=counts_as(
                "cluster-local-node",
                _NODES[0],
                then=_lower_cluster,
            ),
        ),
        checks=(_within_cluster,),
    ),
    row(
        "ipvs",
        opt("ipvs", inv=True),
        opt("vproto", addresses.protocol, inv=True),
        opt("vaddr", addresses.network, inv=True),
        opt("vport", addresses.resolved_port, inv=True),
        opt("vdir", values.one_of("ORIGINAL", "REPLY")),
        opt("vmethod", values.one_of("GATE", "IPIP", "MASQ"), inv=True),
        opt("vportctl", addresses.resolved_port, inv=True),
        lower=pure("ipvs"),
    ),
    row(
        "osf",
        opt("genre", values.anything, inv=True, req=True),
        opt("ttl", values.number(2)),
        opt("log", values.number(2)),
        lower=only_where(_OF_A_SYN, joint("osf", "genre")),
        families=IP_ONLY,
        chains="PREROUTING INPUT FORWARD",
    ),
    row(
        "policy",
        opt("dir", values.exactly("in", "out")),
        opt("pol", values.exactly("none", "ipsec")),
        opt("strict"),
        opt("reqid", values.bits(32), inv=True, rep=True),
        opt("spi", _SPI, inv=True, rep=True),
        opt("proto", _transform, inv=True, rep=True),
        opt("mode", values.exactly("transport", "tunnel"), inv=True, rep=True),
        opt("tunnel-src", addresses.network, inv=True, rep=True),
        opt("tunnel-dst", addresses.network, inv=True, rep=True),
        opt("next", rep=True),
        lower=_lower_policy,
        chains_for=_policy_chains,
    ),
)
