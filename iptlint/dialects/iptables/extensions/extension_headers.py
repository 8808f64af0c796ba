"""Matches of headers behind the IP header: those of ipsec, and the extension headers of IPv6."""

from __future__ import annotations

from collections.abc import Mapping

from iptlint.dialects.diagnostics import InvalidValueError
from iptlint.dialects.iptables.extensions import addresses, values
from iptlint.dialects.iptables.extensions.builders import (
    BOTH,
    IP6_ONLY,
    IP_ONLY,
    NEVER,
    NOT_A_LATER_FRAGMENT,
    Test,
    at_most_one,
    everything,
    field_tests,
    joint,
    only_where,
    opaque,
    opt,
    pair_of,
    pure,
    row,
)
from iptlint.dialects.iptables.extensions.registries import MH_TYPES
from iptlint.dialects.iptables.extensions.row import Check, Extension, GivenOption, Uses
from iptlint.dialects.uninterpreted import uninterpreted
from iptlint.model import Family, Match


def _opaque_range(name: str, width: int, option_width: int = 32) -> Test:
    """An opaque test of a number in a range. The option may take more bits than the field has; all
    that the option takes is printed as no test."""
    top = (1 << width) - 1
    most_asked = (1 << option_width) - 1

    def test(given: GivenOption, _: Family) -> tuple[Match, ...]:
        low, asked = pair_of(given)
        high = min(asked, top)
        if low > high:
            return () if given.negated else NEVER
        if (low, high) == (0, top):
            return everything(given, printed=asked < most_asked)
        key = f"{name} --{given.option.name} {low}:{high}"
        return (uninterpreted(key, given.negated),)

    return test


def _ranges(
    name: str,
    option: str,
    *flags: str,
    families: tuple[Family, ...],
    more: str = "",
    addresses_of: str | None = None,
    header: str | None = None,
    checks: tuple[Check, ...] = (),
    width: int = 32,
    fields: Mapping[str, Test] | None = None,
) -> Extension:
    """A header with an index in a range, a length and flags. The options take 32 bits, whatever
    ``width`` the index has in the header. ``fields``: options that are tests of other fields.

    Negated or not, no test holds where _there is none: in a later fragment, or for an extension
    ``header`` of ip6 in a packet without it (xt_esp.c, ip6t_ah.c, ip6t_frag.c, ip6t_rt.c).
    """
    lengths = tuple(more.split())
    by_option = {option: _opaque_range(name, width)}
    lists = (addresses_of,) if addresses_of is not None else ()
    by_option |= dict.fromkeys((*flags, *lengths, *lists), opaque(name))
    by_option |= fields or {}
    lower = field_tests(by_option, NOT_A_LATER_FRAGMENT if header is None else ())
    if header is not None:
        lower = only_where(_there(header), lower)
    return row(
        name,
        opt(option, values.span(32, inverted=True), inv=True),
        *(opt(length, values.bits(32), inv=True) for length in lengths),
        *(opt(flag) for flag in flags),
        *(opt(each, values.list_of(addresses.network)) for each in lists),
        lower=at_most_one("fragmore", "fraglast", then=lower),
        families=families,
        checks=checks,
    )


def _always(_: GivenOption, __: Family) -> tuple[Match, ...]:
    """The header of a fragment has one length, and nobody looks at it (ip6t_frag.c)."""
    return ()


def _nothing_reserved(_: GivenOption, __: Family) -> tuple[Match, ...]:
    """What is reserved has to be 0 (frag_mt6)."""
    return uninterpreted("exthdr frag reserved 0"), uninterpreted("exthdr frag reserved2 0")


_OF_FRAGMENTS = {"fraglen": _always, "fragres": _nothing_reserved}


def _routing_checks(uses: Uses, _: Family) -> InvalidValueError | None:
    """Only a routing header of type 0 has addresses (libip6t_rt.c)."""
    of_type_0 = [name for name in uses if name.startswith("rt-0-")]
    kinds = {(given.negated, given.values[0]) for given in uses.get("rt-type", ())}
    if of_type_0 and kinds != {(False, 0)}:
        return InvalidValueError(f"--rt-type 0 beside --{of_type_0[0]}", refused=True)
    if "rt-0-not-strict" in uses and "rt-0-addrs" not in uses:
        return InvalidValueError("--rt-0-addrs beside --rt-0-not-strict", refused=True)
    return None


def _there(header: str) -> tuple[Match, ...]:
    return (uninterpreted(f"ipv6header --header {header} --soft"),)


def _option_list(text: str, _: Family) -> str:
    """ip6 option numbers, each with an optional length: ``3:5,7``. Each number has 8 bits in the
    kernel, and all lengths are one of 255 (parse_options of libip6t_hbh.c)."""
    items = text.split(",")
    if len(items) > _MOST_OPTIONS:
        raise InvalidValueError(f"at most {_MOST_OPTIONS} options", refused=True)
    read = [[_strtoul(number) for number in item.split(":", 1)] for item in items]
    kept = [[number & 0xFF for number in numbers] for numbers in read]
    if [0] in (numbers[:-1] for numbers in kept):
        raise InvalidValueError("no length of option 0, which is one octet", refused=True)
    shown = ",".join(":".join(map(str, numbers)).removesuffix(":255") for numbers in kept)
    if kept != read:
        raise InvalidValueError("numbers from 0 to 255", becomes=shown)
    return shown


_MOST_OPTIONS = 16


def _strtoul(text: str) -> int:
    sign = -1 if text.startswith("-") else 1
    return sign * values.integer(text.removeprefix("-"), 0, 2**64 - 1)


def _options_header(name: str, header: str) -> Extension:
    return row(
        name,
        opt(f"{name}-len", values.bits(32), inv=True),
        opt(f"{name}-opts", _option_list),
        lower=only_where(_there(header), pure(name)),
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
        known = values.abbreviated(MH_TYPES, word)
        return known if isinstance(known, int) else values.integer(word, 0, 255)

    low = one(first, 0)
    return values.ordered(low, one(last, 255), "range") if colon else (low, low)


_SRH_FIELDS = ("hdr-len", "segs-left", "last-entry")


_SRH_NUMBERS = ("next-hdr", *(f"{f}-{op}" for f in _SRH_FIELDS for op in ("eq", "gt", "lt")))


ROWS: tuple[Extension, ...] = (
    _ranges("ah", "ahspi", families=IP_ONLY),
    _ranges("ah", "ahspi", "ahres", families=IP6_ONLY, more="ahlen", header="ah"),
    _ranges("esp", "espspi", families=BOTH),
    _ranges("ipcomp", "ipcompspi", "compres", families=BOTH, width=16),
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
        fields=_OF_FRAGMENTS,
    ),
    _ranges(
        "rt",
        "rt-segsleft",
        "rt-0-res",
        "rt-0-not-strict",
        families=IP6_ONLY,
        more="rt-type rt-len",
        addresses_of="rt-0-addrs",
        header="ipv6-route",
        width=8,
        checks=(_routing_checks,),
    ),
    _options_header("dst", "ipv6-opts"),
    _options_header("hbh", "hop-by-hop"),
    row("eui64", lower=pure("eui64"), families=IP6_ONLY, chains="PREROUTING INPUT FORWARD"),
    row(
        "ipv6header",
        opt("header", values.list_of(_a_header, skips=True), inv=True, req=True),
        opt("soft"),
        lower=joint("ipv6header", "header"),
        families=IP6_ONLY,
    ),
    row(
        "mh",
        opt("mh-type", _mh_type, inv=True),
        lower=field_tests({"mh-type": _opaque_range("mh", 8, 8)}, NOT_A_LATER_FRAGMENT),
        families=IP6_ONLY,
    ),
    row(
        "srh",
        *(opt(f"srh-{name}", values.bits(8), inv=True) for name in _SRH_NUMBERS),
        opt("srh-tag", values.bits(16), inv=True),
        *(opt(f"srh-{name}", addresses.network, inv=True) for name in ("psid", "nsid", "lsid")),
        lower=only_where(_there("ipv6-route"), pure("srh")),
        families=IP6_ONLY,
    ),
)
