"""Matches of iptables that no field of the model says: a row for each, or for each option."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import cast

from iptlint.convert.asking import Asking, Joint, Single, Test, compared, line
from iptlint.convert.counting import COUNTING
from iptlint.convert.sets import SETS
from iptlint.convert.times import TIMES
from iptlint.dialects.iptables.extensions.builders import all_given, pair_of, value_of
from iptlint.dialects.iptables.extensions.payload_matches import words_of_header
from iptlint.dialects.iptables.extensions.row import GivenOption, Uses
from iptlint.dialects.iptables.extensions.uninterpreted import helpers_named
from iptlint.dialects.nft.writing.tests import (
    FIRST_FRAGMENT,
    HAS_CONNECTION,
    Item,
    Lines,
    is_protocol,
    joined,
    lines_of,
)
from iptlint.dialects.nft.writing.values import PROTOCOL_NAMES, NoFormError, one_of, quoted
from iptlint.model import Match
from iptlint.model.numbers import is_decimal
from iptlint.model.protocols import AH, COMP, DCCP, ESP, MH, SCTP, TCP

_ALL = (1 << 32) - 1


def no_form(why: str) -> Callable[..., Lines]:
    def row(*_: object) -> Lines:
        raise NoFormError(why)

    return row


# -- shapes of rows -----------------------------------------------------------------------------


def _value(selector: str) -> Test:
    """The argument as iptables prints it is a value of nft's as well."""
    return lambda given, _: compared(selector, str(given.values[0]), negated=given.negated)


def _span(selector: str, *says: Match, top: int = _ALL) -> Test:
    """A number or a range of numbers, of which the header has none above ``top``."""

    def row(given: GivenOption, _: Asking) -> Lines:
        low, high = pair_of(given)
        high = min(high, top)
        text = str(low) if low == high else f"{low}-{high}"
        return compared(selector, text, *says, negated=given.negated)

    return row


def _flag(text: str) -> Test:
    return lambda *_: line(text)


def unlike(given: GivenOption, text: str, *says: Match) -> Lines:
    """Negated, it takes what has nothing to compare, too, as a packet without a socket; a negation
    of nft does not."""
    return ((Item(text, frozenset(says), excepted=given.negated),),)


def _option(selector: str, protocol: int) -> Test:
    """That one is missing says nothing of the protocol."""

    def row(given: GivenOption, asking: Asking) -> Lines:
        if given.negated:
            return _missing(f"{selector} {given.values[0]}", asking)
        return line(f"{selector} {given.values[0]} exists", *_header(protocol))

    return row


def _missing(selector: str, asking: Asking) -> Lines:
    return joined(lines_of((FIRST_FRAGMENT,), asking.of), line(f"{selector} missing"))


def _header(number: int) -> tuple[Match, ...]:
    return is_protocol(number), FIRST_FRAGMENT


# -- owner, cgroup ------------------------------------------------------------------------------


def _id(selector: str) -> Test:
    def row(given: GivenOption, _: Asking) -> Lines:
        text = str(given.values[0])
        named = text if is_decimal(text[:1]) else quoted(text, "the name of a user or a group")
        return unlike(given, f"{selector} {named}")

    return row


# -- addresses ------------------------------------------------------------------------------------


def _address_types(uses: Uses, asking: Asking) -> Lines:
    """The types, in the order in which nft lists them."""
    beside = {"limit-iface-in": ". iif ", "limit-iface-out": ". oif "}
    device = next((word for option, word in beside.items() if option in uses), "")
    lines: list[Lines] = []
    for given in all_given(uses):
        if given.values:
            side = "saddr" if given.option.name == "src-type" else "daddr"
            types = [str(each).lower() for each in cast("tuple[object, ...]", given.values[0])]
            selector = f"fib {side} {device}type"
            lines.append(compared(selector, one_of(types), negated=given.negated))
    return joined(*lines)


# -- connections ----------------------------------------------------------------------------------


def _original(direction: str, key: str, *, is_address: bool) -> Test:
    def row(given: GivenOption, asking: Asking) -> Lines:
        if is_address:
            text, family = str(given.values[0]), f"{asking.ip} "
        else:
            low, high = pair_of(given)
            text, family = str(low) if low == high else f"{low}-{high}", ""
        selector = f"ct {direction} {family}{key}"
        return compared(selector, text, HAS_CONNECTION, negated=given.negated)

    return row


_TUPLE = {
    f"ct{short}{side}{port}": _original(
        direction, f"proto-{side}" if port else f"{side[0]}addr", is_address=not port
    )
    for short, direction in (("orig", "original"), ("repl", "reply"))
    for side in ("src", "dst")
    for port in ("", "port")
}


def _status(given: GivenOption, _: Asking) -> Lines:
    """Any of the bits; nft takes a list so."""
    names = [
        name.lower().replace("_", "-") for name in sorted(cast("frozenset[str]", given.values[0]))
    ]
    if "none" in names:
        raise NoFormError("nft cannot ask for a connection without any status")
    bits = " | ".join(names)
    if given.negated:
        selector = f"ct status & {f'({bits})' if len(names) > 1 else bits} == 0x0"
        return line(selector, HAS_CONNECTION)
    return line(f"ct status {','.join(names)}", HAS_CONNECTION)


_MOST_SECONDS = (2**32 - 1) // 1000
"""nft keeps a time in 32 bits of milliseconds."""


def _expiry(given: GivenOption, _: Asking) -> Lines:
    low, high = pair_of(given)
    if high > _MOST_SECONDS:
        raise NoFormError("a time that nft has no room for")
    text = f"{low}s" if low == high else f"{low}s-{high}s"
    return compared("ct expiration", text, HAS_CONNECTION, negated=given.negated)


def _protocol(given: GivenOption, _: Asking) -> Lines:
    number = cast(int, given.values[0])
    name = PROTOCOL_NAMES.get(number, str(number))
    return compared("ct original protocol", name, HAS_CONNECTION, negated=given.negated)


def _helper(given: GivenOption, _: Asking) -> Lines:
    names = [quoted(each, "the name of a helper") for each in helpers_named(str(given.values[0]))]
    return unlike(given, f"ct helper {one_of(names)}", HAS_CONNECTION)


def _label(uses: Uses, asking: Asking) -> Lines:
    (given,) = uses["label"]
    if "set" not in uses:
        return unlike(given, f"ct label {given.values[0]}", HAS_CONNECTION)
    there = lines_of((replace(HAS_CONNECTION, negated=not given.negated),), asking.of)
    return joined(((Item("", noting=f"ct label set {given.values[0]}"),),), there)


# -- ipsec, routes, sockets -----------------------------------------------------------------------


def _policy(uses: Uses, asking: Asking) -> Lines:
    """``--dir out`` stands where a packet has its route (policy_mt_check)."""
    if not {*uses} <= {"dir", "pol"}:
        raise NoFormError("nft cannot ask for the elements of an ipsec policy as iptables does")
    selector = "meta ipsec" if value_of(uses, "dir") == "in" else "rt ipsec"
    if selector == "rt ipsec":
        asking.declarations.meanings.tests["has a route"] = ()
    return line(f"{selector} {'missing' if value_of(uses, 'pol') == 'none' else 'exists'}")


def _reverse_path(uses: Uses, _: Asking) -> Lines:
    mark = " . mark" if "validmark" in uses else ""
    device = "" if "loose" in uses else " . iif"
    route, local = f"fib saddr{mark}{device} oif", f"fib saddr{device} type"
    if "accept-local" not in uses:
        return line(f"{route} {'missing' if 'invert' in uses else 'exists'}")
    if "invert" in uses:
        return joined(line(f"{route} missing"), line(f"{local} != local"))
    return line(f"{route} exists") + joined(line(f"{route} missing"), line(f"{local} local"))


def _socket(uses: Uses, _: Asking) -> Lines:
    """A socket at any address counts with --nowildcard only; nft says of full sockets alone at
    which address they are. --restore-skmark writes the mark of these before more is asked."""
    tests = line("socket transparent 1" if "transparent" in uses else "socket transparent { 0, 1 }")
    if "nowildcard" not in uses:
        tests = joined(((Item("socket wildcard 1", excepted=True),),), tests)
    if "restore-skmark" in uses:
        tests = joined(tests, ((Item("", noting="meta mark set socket mark"),),))
    return tests


def _number(selector: str) -> Test:
    """``value/mask`` in hexadecimal, or a name."""

    def row(given: GivenOption, _: Asking) -> Lines:
        value, slash, mask = str(given.values[0]).partition("/")
        if not is_decimal(value[:1]):
            value = quoted(value, "a name")
        bits = f"& {mask} {'' if given.negated else '== '}" if slash else ""
        return compared(f"{selector} {bits}".rstrip(), value, negated=given.negated)

    return row


def _realm(given: GivenOption, asking: Asking) -> Lines:
    """It stands where a packet has its route (xt_realm.c)."""
    asking.declarations.meanings.tests["has a route"] = ()
    return _number("meta rtclassid")(given, asking)


# -- headers ------------------------------------------------------------------------------------

_EXTENSION_NAMES = {
    "hop-by-hop": "hbh",
    "ipv6-opts": "dst",
    "ipv6-route": "rt",
    "ipv6-frag": "frag",
}


def _extension_headers(uses: Uses, _: Asking) -> Lines:
    (given,) = uses["header"]
    headers = [str(each) for each in cast("tuple[object, ...]", given.values[0])]
    if "soft" not in uses or len(headers) != 1 or headers[0] not in _EXTENSION_NAMES:
        raise NoFormError("nft can only ask whether one extension header is there")
    there = "missing" if given.negated else "exists"
    return line(f"exthdr {_EXTENSION_NAMES[headers[0]]} {there}")


def _chunks(given: GivenOption, asking: Asking) -> Lines:
    how, chunks = given.values
    names = [str(each) for each in cast("tuple[object, ...]", chunks)]
    if how == "only" or any(":" in name or name in ("ALL", "NONE") for name in names):
        raise NoFormError("nft can only ask whether chunks of sctp are there")
    if unknown := [name for name in names if name in _UNKNOWN_CHUNKS]:
        raise NoFormError(f"nft has no name for the chunk {unknown[0]} of sctp")
    there = [line(f"sctp chunk {_chunk(name)} exists", *_header(SCTP)) for name in names]
    missing = [_missing(f"sctp chunk {_chunk(name)}", asking) for name in names]
    if (how == "all") is not given.negated:
        return joined(*(missing if given.negated else there))
    wanted, others = (missing, there) if given.negated else (there, missing)
    return tuple(line for place, one in enumerate(wanted) for line in joined(*others[:place], one))


_UNKNOWN_CHUNKS = ("I_DATA", "I_FORWARD_TSN", "RE_CONFIG", "PAD")


def _chunk(name: str) -> str:
    return {"ECN_ECNE": "ecne", "ECN_CWR": "cwr"}.get(name, name.lower().replace("_", "-"))


def _dccp_types(given: GivenOption, _: Asking) -> Lines:
    names = [str(each).lower() for each in cast("tuple[object, ...]", given.values[0])]
    shown = ["10" if name == "invalid" else name for name in names]
    return compared("dccp type", one_of(shown), *_header(DCCP), negated=given.negated)


def _words_of_header(given: GivenOption, _: Asking) -> Lines:
    """u32 reads from the header of IP on, as the base ``nh`` does."""
    words = words_of_header(str(given.values[0]))
    if words is None:
        raise NoFormError("nft compares bits at a place, and neither moves nor follows them")
    texts = [f"{word.place} {one_of([*map(_hex_range, word.spans)])}" for word in words]
    return ((Item(" ".join(texts), excepted=given.negated),),)


def _hex_range(span: tuple[int, int]) -> str:
    low, high = span
    return f"{low:#x}" if low == high else f"{low:#x}-{high:#x}"


EXISTENCE = {"hbh": "exthdr hbh exists", "dst": "exthdr dst exists", "rt": "exthdr rt exists"}
EXISTENCE |= {"frag": "exthdr frag exists"}
"""Matches of an extension header that ask for nothing of it but that it is there."""

SINGLE: Single = {
    ("tcp", "tcp-option"): _option("tcp option", TCP),
    ("tcpmss", "mss"): _span("tcp option maxseg size", *_header(TCP)),
    ("sctp", "chunk-types"): _chunks,
    ("dccp", "dccp-types"): _dccp_types,
    ("dccp", "dccp-option"): _option("dccp option", DCCP),
    ("owner", "uid-owner"): _id("meta skuid"),
    ("owner", "gid-owner"): _id("meta skgid"),
    # What has a socket has the number of some user.
    ("owner", "socket-exists"): lambda given, _: unlike(given, "meta skuid 0-4294967295"),
    **{("conntrack", name): row for name, row in _TUPLE.items()},
    ("conntrack", "ctstatus"): _status,
    ("conntrack", "ctexpire"): _expiry,
    ("conntrack", "ctproto"): _protocol,
    ("helper", "helper"): _helper,
    ("realm", "realm"): _realm,
    ("devgroup", "src-group"): _number("meta iifgroup"),
    ("devgroup", "dst-group"): _number("meta oifgroup"),
    ("u32", "u32"): _words_of_header,
    ("cpu", "cpu"): _value("meta cpu"),
    ("cgroup", "cgroup"): _value("meta cgroup"),
    ("ah", "ahspi"): _span("ah spi", *_header(AH)),
    ("esp", "espspi"): _span("esp spi", *_header(ESP)),
    ("ipcomp", "ipcompspi"): _span("comp cpi", *_header(COMP), top=0xFFFF),
    ("frag", "fragid"): _span("frag id"),
    ("frag", "fraglen"): _flag(EXISTENCE["frag"]),
    ("frag", "fragfirst"): _flag("frag frag-off 0"),
    ("frag", "fragmore"): _flag("frag more-fragments 1"),
    ("frag", "fraglast"): _flag("frag more-fragments 0"),
    ("frag", "fragres"): _flag("frag reserved 0 frag reserved2 0"),
    ("rt", "rt-type"): _value("rt type"),
    ("rt", "rt-segsleft"): _span("rt seg-left", top=0xFF),
    ("mh", "mh-type"): _span("mh type", *_header(MH)),
}
"""By match and option, where each option tests for itself. What is not here is a test of fields,
which the model has, or has no words in nft."""

_IS_BRIDGED = "the port of a bridge is known to nft in tables of the family bridge only"
_IS_READ = "nft reads nothing of what a packet carries but its headers"

JOINT: Joint = {
    **COUNTING,
    **SETS,
    **TIMES,
    "addrtype": _address_types,
    "connlabel": _label,
    "policy": _policy,
    "rpfilter": _reverse_path,
    "socket": _socket,
    "ipv6header": _extension_headers,
    "physdev": no_form(_IS_BRIDGED),
    **dict.fromkeys(("string", "bpf"), no_form(_IS_READ)),
}
"""By match, where all options are one test."""
