"""Matches the tool does not interpret: pure tests kept as one Boolean each."""

from __future__ import annotations

import re
from typing import cast

from iptlint.dialects.diagnostics import InvalidValueError
from iptlint.dialects.iptables.extensions import values
from iptlint.dialects.iptables.extensions.builders import (
    IP6_ONLY,
    IP_ONLY,
    NEVER,
    NOT_A_LATER_FRAGMENT,
    all_given,
    at_most_one,
    counts_as,
    each_opaque,
    field_tests,
    joint,
    just_one,
    need_one,
    opaque,
    opaque_range,
    opt,
    pure,
    row,
    spell_all,
    value_of,
    write,
)
from iptlint.dialects.iptables.extensions.header_matches import HAS_CONNECTION
from iptlint.dialects.iptables.extensions.registries import MH_TYPES
from iptlint.dialects.iptables.extensions.row import Extension, Given, Lower, Lowered, Uses, Value
from iptlint.model import AnyOf, Family, Field, Match, Opaque, Uncertain

# -- headers ------------------------------------------------------------------


def _ranges(
    name: str,
    option: str,
    *flags: str,
    families: tuple[Family, ...],
    more: str = "",
    header: str | None = None,
) -> Extension:
    """A header with a 32-bit index in a range, a length and flags.

    Negated or not, no test holds where there is none: in a later fragment, or for an extension
    ``header`` of ip6 in a packet without it (xt_esp.c, ip6t_ah.c, ip6t_frag.c, ip6t_rt.c).
    """
    lengths = tuple(more.split())
    by_option = {option: opaque_range(name, 32)}
    by_option |= dict.fromkeys((*flags, *lengths), opaque(name))
    lower = field_tests(by_option, NOT_A_LATER_FRAGMENT if header is None else ())
    if header is not None:
        lower = _where(_there(header), lower)
    return row(
        name,
        opt(option, values.span(32, inverted=True), inv=True),
        *(opt(length, values.bits(32), inv=True) for length in lengths),
        *(opt(flag) for flag in flags),
        lower=at_most_one("fragmore", "fraglast", then=lower),
        families=families,
    )


def _there(header: str) -> tuple[Match, ...]:
    return (Opaque(f"ipv6header --header {header} --soft"),)


def _where(there: tuple[Match, ...], lower: Lower) -> Lower:
    """``lower`` for packets that have what is tested. A test that holds says so itself, so only
    negated ones have to ask; so does the mere name of a header."""

    def lowered(uses: Uses, family: Family) -> Lowered:
        tests = lower(uses, family).matches
        asks = not tests or any(given.negated for given in all_given(uses))
        return Lowered((*(there if asks else ()), *tests))

    return lowered


_BOTH = (Family.IP, Family.IP6)


def _option_list(text: str, _: Family) -> str:
    """ip6 option numbers, each with an optional length: ``3:5,7``."""
    for item in text.split(","):
        number, colon, length = item.partition(":")
        values.integer(number, 0, 255)
        if colon and length:
            values.integer(length, 0, 255)
    return text


def _options_header(name: str, header: str) -> Extension:
    return row(
        name,
        opt(f"{name}-len", values.bits(32), inv=True),
        opt(f"{name}-opts", _option_list),
        lower=_where(_there(header), pure(name)),
        families=IP6_ONLY,
    )


_HEADERS = {
    "hop": "hop-by-hop",
    "hop-by-hop": "hop-by-hop",
    "ipv6-hopopts": "hop-by-hop",
    "0": "hop-by-hop",
    "dst": "ipv6-opts",
    "ipv6-opts": "ipv6-opts",
    "60": "ipv6-opts",
    "route": "ipv6-route",
    "ipv6-route": "ipv6-route",
    "43": "ipv6-route",
    "frag": "ipv6-frag",
    "ipv6-frag": "ipv6-frag",
    "44": "ipv6-frag",
    "auth": "ah",
    "ah": "ah",
    "51": "ah",
    "esp": "esp",
    "50": "esp",
    "none": "ipv6-nonxt",
    "ipv6-nonxt": "ipv6-nonxt",
    "59": "ipv6-nonxt",
    "prot": "protocol",
    "protocol": "protocol",
    "255": "protocol",
}


_a_header = values.one_of(*dict.fromkeys(_HEADERS.values()), **_HEADERS)


def _mh_type(text: str, _: Family) -> tuple[int, int]:
    first, colon, last = text.partition(":")

    def one(word: str, default: int) -> int:
        if not word:
            return default
        found = values.abbreviated(MH_TYPES, word)
        return found if isinstance(found, int) else values.integer(word, 0, 255)

    low = one(first, 0)
    return values.ordered(low, one(last, 255), "range") if colon else (low, low)


_SRH_FIELDS = ("hdr-len", "segs-left", "last-entry")
_SRH_NUMBERS = ("next-hdr", *(f"{f}-{op}" for f in _SRH_FIELDS for op in ("eq", "gt", "lt")))

# -- owner, devices, routing --------------------------------------------------


def _id_range(text: str, _: Family) -> str:
    """A user's or group's name, a number, or ``a-b``. Only root's number is the same everywhere."""
    if not text[:1].isdigit():
        if not text:
            raise InvalidValueError("a name, a number or a range")
        return "0" if text == "root" else text
    low, dash, high = text.partition("-")
    first = values.integer(low, 0, 2**32 - 2)
    last = values.integer(high, 0, 2**32 - 2) if dash else first
    return str(first) if first == last else f"{first}-{last}"


def _lower_owner(uses: Uses, family: Family) -> Lowered:
    """--suppl-groups widens --gid-owner, which has to come first (libxt_owner.c)."""
    if "suppl-groups" not in uses:
        return pure("owner")(uses, family)
    order = list(uses)
    if "gid-owner" not in uses or order.index("gid-owner") > order.index("suppl-groups"):
        raise InvalidValueError("--gid-owner before --suppl-groups")
    apart = {k: v for k, v in uses.items() if k not in ("gid-owner", "suppl-groups")}
    group = {k: uses[k] for k in ("gid-owner", "suppl-groups")}
    joined = joint("owner", "gid-owner")(group, family)
    return Lowered(pure("owner")(apart, family).matches + joined.matches)


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


def _lower_addrtype(uses: Uses, family: Family) -> Lowered:
    """--limit-iface-in and -out are part of both tests."""
    limits = "".join(f" --{name}" for name in sorted(uses) if name.startswith("limit"))
    return Lowered(
        tuple(
            each_opaque(
                "addrtype", g.option.name, _address_types(g, family, limits), negated=g.negated
            )
            for g in all_given(uses)
            if g.values
        )
    )


def _address_types(given: Given, family: Family, limits: str) -> list[str]:
    """The types that may hold instead of each other.

    For ip6 the kernel asks the address for some of them, not the routes, and all of those in a
    list have to hold (match_type6 in xt_addrtype.c).
    """
    types = list(map(str, cast("tuple[object, ...]", given.values[0])))
    if family is Family.IP6 and (len(types) > 1 or types[0] in ("UNICAST", "UNSPEC")):
        types = [f"{','.join(types)} of ip6"]
    return [each + limits for each in types]


def _realm(text: str, family: Family) -> str:
    """A name of /etc/iproute2, or ``value/mask``."""
    shown = values.shown_mask(32)(text, family) if text[:1].isdigit() else text
    return str(shown).removesuffix("/0xffffffff")


def _lower_realm(uses: Uses, family: Family) -> Lowered:
    """A value with bits outside its mask never equals what is left of the realm."""
    (given,) = uses["realm"]
    value, slash, mask = str(given.values[0]).partition("/")
    if slash and int(value, 16) & ~int(mask, 16):
        return Lowered(() if given.negated else NEVER)
    return pure("realm")(uses, family)


def _lower_cluster(uses: Uses, family: Family) -> Lowered:
    """Negated or not, it needs a connection (xt_cluster.c)."""
    key = joint("cluster", "cluster-local-nodemask")
    return Lowered((HAS_CONNECTION, *key(uses, family).matches))


def _lower_helper(uses: Uses, family: Family) -> Lowered:
    """A helper's name need only be how the name given begins (xt_helper.c): ``ftp-21`` takes
    the connections of ``ftp`` too."""
    (given,) = uses["helper"]
    name = str(given.values[0])
    key = f"helper --helper {name}{' or its beginning' if '-' in name else ''}"
    return Lowered((AnyOf(((HAS_CONNECTION, Opaque(key)),), given.negated),))


_HAS_SOCKET: tuple[Match, ...] = (Opaque("cgroup there"),)
"""Negated or not, xt_cgroup.c needs a socket."""

_OF_A_SYN: tuple[Match, ...] = (Opaque("osf there"),)
"""Negated or not, only the first packet of a tcp connection is looked at (nf_osf_match)."""


def _node(text: str, _: Family) -> str:
    return f"0x{1 << (values.integer(text, 1, 32) - 1):x}"


# -- ipsec --------------------------------------------------------------------

_SPI = values.hexadecimal(32)
_POLICY_ELEMENT = ("reqid", "spi", "proto", "mode", "tunnel-src", "tunnel-dst")


def _lower_policy(uses: Uses, _: Family) -> Lowered:
    """``none`` is the complement of ``ipsec``; elements keep their order, --next parts them."""
    for name in ("dir", "pol"):
        if name not in uses:
            raise InvalidValueError(f"--{name}")
    elements = [name for name in _POLICY_ELEMENT if name in uses]
    none = value_of(uses, "pol") == "none"
    if none and elements:
        raise InvalidValueError("--pol ipsec with the tests of an element")
    if "strict" in uses and not elements:
        raise InvalidValueError("at least one test of an element beside --strict")
    tunnels = {"tunnel-src", "tunnel-dst"} & {*uses}
    modes = {g.values[0] for g in uses.get("mode", ())}
    if tunnels and "tunnel" not in modes:
        raise InvalidValueError("--mode tunnel beside --tunnel-src or --tunnel-dst")
    if "next" in uses and "strict" not in uses:
        raise InvalidValueError("--strict beside --next")
    return Lowered((Opaque("policy " + _policy_key(uses), none),))


def _policy_key(uses: Uses) -> str:
    return spell_all(uses).replace("--pol none", "--pol ipsec")


# -- payload ------------------------------------------------------------------

_U32_NUMBER = re.compile(r"0[xX][0-9a-fA-F]+|\d+")


def u32(text: str, _: Family) -> str:
    """The tests of u32, numbers in hexadecimal and blanks left out."""
    plain = re.sub(r"\s+", "", text)
    if not re.fullmatch(r"[0-9a-fA-FxX&<>@=:,]+", plain) or "=" not in plain:
        raise InvalidValueError("tests such as 0&0xFFFF=0x100:0x1FF")
    return _U32_NUMBER.sub(lambda m: f"0x{_u32_number(m.group()):x}", plain)


def _u32_number(text: str) -> int:
    return values.integer(text, 0, 2**32 - 1)


# -- sets ---------------------------------------------------------------------


def directions(text: str, _: Family) -> str:
    """``src``, ``dst`` and so on, at most six (IPSET_DIM_MAX)."""
    parts = text.split(",")
    if len(parts) > 6 or not all(part.startswith(("src", "dst")) for part in parts):
        raise InvalidValueError("a comma list of src and dst, at most six")
    return ",".join(part[:3] for part in parts)


def set_name(text: str, _: Family) -> str:
    if not 0 < len(text) < 32:
        raise InvalidValueError("a set's name of at most 31 characters", refused=True)
    return text


_COUNTERS = ("packets-eq", "packets-lt", "packets-gt", "bytes-eq", "bytes-lt", "bytes-gt")
_NO_TEST = ("update-counters", "update-subcounters")


def set_key(name: str, dirs: str) -> str:
    return f"set {name} {dirs}"


def _lower_set(uses: Uses, _: Family) -> Lowered:
    """Counters change with every packet, so a test of them is uncertain."""
    (given,) = uses["match-set"]
    name, dirs = given.values
    key = set_key(str(name), str(dirs))
    rest = spell_all({k: v for k, v in uses.items() if k not in ("match-set", *_NO_TEST)})
    if any(counter in uses for counter in _COUNTERS):
        return Lowered((Uncertain("set", f"{'! ' if given.negated else ''}{key} {rest}"),))
    return Lowered((Opaque(f"{key} {rest}".rstrip(), given.negated),))


def _lower_socket(uses: Uses, family: Family) -> Lowered:
    marks = (write(Field.MARK),) if "restore-skmark" in uses else ()
    kept = {k: v for k, v in uses.items() if k != "restore-skmark"}
    return Lowered(joint("socket")(kept, family).matches, effects=marks)


def _lower_rpfilter(uses: Uses, family: Family) -> Lowered:
    plain = {k: v for k, v in uses.items() if k != "invert"}
    (found,) = joint("rpfilter")(plain, family).matches
    assert isinstance(found, Opaque)
    return Lowered((Opaque(found.key, "invert" in uses),))


def _one(
    name: str,
    option: str,
    value: Value,
    *,
    families: tuple[Family, ...] = _BOTH,
    lower: Lower | None = None,
) -> Extension:
    """A match of one required option that may be negated."""
    return row(
        name, opt(option, value, inv=True, req=True), lower=lower or pure(name), families=families
    )


_STRING = opt("string", values.pattern, inv=True)
_NODES = opt("cluster-local-nodemask", values.hexadecimal(32, 1), inv=True)
_PHYSDEV_FLAGS = ("physdev-is-in", "physdev-is-out", "physdev-is-bridged")

ROWS = (
    _ranges("ah", "ahspi", families=IP_ONLY),
    _ranges("ah", "ahspi", "ahres", families=IP6_ONLY, more="ahlen", header="ah"),
    _ranges("esp", "espspi", families=_BOTH),
    _ranges("ipcomp", "ipcompspi", "compres", families=_BOTH),
    _ranges(
        "frag",
        "fragid",
        "fragres",
        "fragfirst",
        "fragmore",
        "fraglast",
        families=IP6_ONLY,
        more="fraglen",
        header="ipv6-frag",
    ),
    _ranges(
        "rt",
        "rt-segsleft",
        "rt-0-res",
        "rt-0-not-strict",
        families=IP6_ONLY,
        more="rt-type rt-len",
        header="ipv6-route",
    ),
    _options_header("dst", "ipv6-opts"),
    _options_header("hbh", "hop-by-hop"),
    row("eui64", lower=pure("eui64"), families=IP6_ONLY, chains="PREROUTING INPUT FORWARD"),
    row(
        "ipv6header",
        opt("header", values.list_of(_a_header), inv=True, req=True),
        opt("soft"),
        lower=joint("ipv6header", "header"),
        families=IP6_ONLY,
    ),
    row(
        "mh",
        opt("mh-type", _mh_type, inv=True),
        lower=field_tests({"mh-type": opaque_range("mh", 8)}, NOT_A_LATER_FRAGMENT),
        families=IP6_ONLY,
    ),
    row(
        "srh",
        *(opt(f"srh-{name}", values.bits(8), inv=True) for name in _SRH_NUMBERS),
        opt("srh-tag", values.bits(16), inv=True),
        *(opt(f"srh-{name}", values.network, inv=True) for name in ("psid", "nsid", "lsid")),
        lower=_where(_there("ipv6-route"), pure("srh")),
        families=IP6_ONLY,
    ),
    _one("tcpmss", "mss", values.span(16), lower=field_tests({"mss": opaque("tcpmss")})),
    row(
        "owner",
        opt("uid-owner", _id_range, inv=True),
        opt("gid-owner", _id_range, inv=True),
        opt("socket-exists", inv=True),
        opt("suppl-groups"),
        opt("pid-owner", values.number(2**31 - 1), inv=True),
        opt("sid-owner", values.number(2**31 - 1), inv=True),
        opt("cmd-owner", values.anything, inv=True),
        lower=_lower_owner,
        chains="OUTPUT POSTROUTING",
    ),
    row(
        "addrtype",
        opt("src-type", values.list_of(values.one_of(*_ROUTE_TYPES)), inv=True),
        opt("dst-type", values.list_of(values.one_of(*_ROUTE_TYPES)), inv=True),
        opt("limit-iface-in"),
        opt("limit-iface-out"),
        lower=need_one(
            "src-type",
            "dst-type",
            then=at_most_one("limit-iface-in", "limit-iface-out", then=_lower_addrtype),
        ),
    ),
    row(
        "physdev",
        opt("physdev-in", values.interface, inv=True),
        opt("physdev-out", values.interface, inv=True),
        *(opt(flag, inv=True) for flag in _PHYSDEV_FLAGS),
        lower=need_one("physdev-in", "physdev-out", *_PHYSDEV_FLAGS, then=pure("physdev")),
    ),
    row(
        "devgroup",
        opt("src-group", _realm, inv=True),
        opt("dst-group", _realm, inv=True),
        lower=need_one("src-group", "dst-group", then=pure("devgroup")),
    ),
    _one("realm", "realm", _realm, families=IP_ONLY, lower=_lower_realm),
    _one("cpu", "cpu", values.bits(32)),
    _one("helper", "helper", values.anything, lower=_lower_helper),
    row(
        "cgroup",
        opt("cgroup", values.bits(32), inv=True),
        opt("path", values.filled, inv=True),
        lower=just_one("cgroup", "path", then=_where(_HAS_SOCKET, pure("cgroup"))),
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
    ),
    row(
        "ipvs",
        opt("ipvs", inv=True),
        opt("vproto", values.protocol, inv=True),
        opt("vaddr", values.network, inv=True),
        opt("vport", values.port, inv=True),
        opt("vdir", values.one_of("ORIGINAL", "REPLY")),
        opt("vmethod", values.one_of("GATE", "IPIP", "MASQ"), inv=True),
        opt("vportctl", values.port, inv=True),
        lower=pure("ipvs"),
    ),
    row(
        "osf",
        opt("genre", values.filled, inv=True, req=True),
        opt("ttl", values.number(2)),
        opt("log", values.number(2)),
        lower=_where(_OF_A_SYN, joint("osf", "genre")),
        families=IP_ONLY,
        chains="PREROUTING INPUT FORWARD",
    ),
    row(
        "policy",
        opt("dir", values.one_of("in", "out")),
        opt("pol", values.one_of("none", "ipsec")),
        opt("strict"),
        opt("reqid", values.bits(32), inv=True, rep=True),
        opt("spi", _SPI, inv=True, rep=True),
        opt("proto", values.protocol, inv=True, rep=True),
        opt("mode", values.one_of("transport", "tunnel"), inv=True, rep=True),
        opt("tunnel-src", values.network, inv=True, rep=True),
        opt("tunnel-dst", values.network, inv=True, rep=True),
        opt("next", rep=True),
        lower=_lower_policy,
    ),
    row(
        "rpfilter",
        opt("loose"),
        opt("validmark"),
        opt("accept-local"),
        opt("invert"),
        lower=_lower_rpfilter,
        tables="raw mangle",
        chains="PREROUTING",
    ),
    row(
        "socket",
        opt("transparent"),
        opt("nowildcard"),
        opt("restore-skmark"),
        lower=_lower_socket,
        chains="PREROUTING INPUT",
    ),
    row(
        "set",
        opt("match-set set", set_name, directions, inv=True, req=True),
        opt("return-nomatch"),
        *(opt(flag, inv=True) for flag in _NO_TEST),
        *(opt(counter, values.bits(64), inv=counter.endswith("eq")) for counter in _COUNTERS),
        lower=_lower_set,
    ),
    row(
        "string",
        opt("from", values.bits(16)),
        opt("to", values.bits(16)),
        opt("algo", values.one_of("bm", "kmp"), req=True),
        _STRING,
        opt("hex-string", values.hex_pattern, inv=True),
        opt("icase"),
        lower=just_one(
            "string",
            "hex-string",
            then=counts_as(
                "hex-string",
                _STRING[0],
                then=joint("string", "string", defaults=("--from 0", "--to 65535")),
            ),
        ),
    ),
    _one("u32", "u32", u32),
    row(
        "bpf",
        opt("bytecode", values.filled),
        opt("object-pinned", values.filled),
        lower=just_one("bytecode", "object-pinned", then=joint("bpf")),
    ),
)
