"""Matches of the header behind that of IP: ports, flags of tcp, icmp types, chunks of sctp."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import cast

from iptlint.dialects.diagnostics import InvalidValueError
from iptlint.dialects.iptables.extensions import addresses, values
from iptlint.dialects.iptables.extensions.builders import (
    IP6_ONLY,
    IP_ONLY,
    NEVER,
    NOT_A_LATER_FRAGMENT,
    Test,
    at_most_one,
    each_opaque,
    field_tests,
    just_one,
    masked_test,
    one_option,
    opaque,
    opt,
    row,
    spell,
    within,
)
from iptlint.dialects.iptables.extensions.registries import (
    ICMP6_TYPES,
    ICMP_TYPES,
    Icmp,
)
from iptlint.dialects.iptables.extensions.row import Extension, GivenOption, Lower, Option, Value
from iptlint.dialects.iptables.extensions.values import integer
from iptlint.dialects.uninterpreted import uninterpreted
from iptlint.model import AnyOf, Family, Field, Masked, Match, Within
from iptlint.model.matches import SegmentSize
from iptlint.model.protocols import TCP_FLAGS, tcp_flag_bits

# -- ports and tcp flags -------------------------------------------------------


def _port_options(reader: Value) -> tuple[tuple[Option, ...], ...]:
    return (
        opt("source-port sport", reader, inv=True),
        opt("destination-port dport", reader, inv=True),
    )


def _port_tests(*, printed: bool) -> dict[str, Test]:
    return {
        "source-port": within(Field.SPORT, 16, printed=printed),
        "destination-port": within(Field.DPORT, 16, printed=printed),
    }


def _flags(text: str) -> int:
    """A comma list of flag names, ALL or NONE. ALL is the first six (libxt_tcp.c)."""
    known = {name.upper(): tcp_flag_bits(name) for name in TCP_FLAGS[:6]}
    known |= {"ALL": 0x3F, "NONE": 0}
    bits = 0
    for name in filter(None, text.upper().split(",")):
        if name not in known:
            raise InvalidValueError("tcp flags: " + ", ".join(known))
        bits |= known[name]
    return bits


def tcp_flags(text: str, _: Family) -> int:
    return _flags(text)


def _tcp_flags_test(given: GivenOption, _: Family) -> tuple[Match, ...]:
    mask, value = given.values
    assert isinstance(mask, int)
    assert isinstance(value, int)
    return masked_test(Field.TCP_FLAGS, 8, value, mask, negated=given.negated)


def _syn_test(given: GivenOption, _: Family) -> tuple[Match, ...]:
    mask, syn = tcp_flag_bits("fin", "syn", "rst", "ack"), tcp_flag_bits("syn")
    return (Masked(Field.TCP_FLAGS, mask, syn, given.negated),)


# -- multiport -----------------------------------------------------------------


def _multiport(*fields: Field) -> Test:
    def test(given: GivenOption, _: Family) -> tuple[Match, ...]:
        ranges = given.values[0]
        assert isinstance(ranges, tuple)
        if len(fields) == 1:
            return (Within(fields[0], ranges, given.negated),)
        return (AnyOf(tuple((Within(f, ranges),) for f in fields), given.negated),)

    return test


# -- icmp ----------------------------------------------------------------------


def icmp_type(names: Mapping[str, Icmp]) -> Value:
    """A name, which may be cut short, or ``type``, ``type/code``, ``type/code:code``."""

    def read(text: str, _: Family) -> Icmp:
        exact = names.get(text)
        known = exact or values.abbreviated(names, text)
        if known is not None:
            return cast(Icmp, known)
        kind, slash, codes = text.partition("/")
        low, colon, high = codes.partition(":")
        try:
            first = integer(low, 0, 255) if slash else 0
            last = integer(high, 0, 255) if colon else (first if slash else 255)
            return integer(kind, 0, 255), first, last
        except InvalidValueError:
            raise InvalidValueError("an icmp type's name, a number, or type/code") from None

    return read


def _icmp_test(any_type: int | None) -> Test:
    def test(given: GivenOption, _: Family) -> tuple[Match, ...]:
        kind, first, last = cast(Icmp, given.values[0])
        if kind == any_type:
            return NEVER if given.negated else ()
        if first > last:
            return () if given.negated else NEVER
        by_type = Within(Field.ICMP_TYPE, ((kind, kind),))
        by_code = Within(Field.ICMP_CODE, ((first, last),))
        if (first, last) == (0, 255):
            return (Within(Field.ICMP_TYPE, ((kind, kind),), given.negated),)
        return (AnyOf(((by_type, by_code),), True),) if given.negated else (by_type, by_code)

    return test


def _whole(by_option: Mapping[str, Test]) -> Lower:
    return field_tests(by_option, NOT_A_LATER_FRAGMENT)


_SCTP_CHUNKS = [
    "DATA",
    "INIT",
    "INIT_ACK",
    "SACK",
    "HEARTBEAT",
    "HEARTBEAT_ACK",
    "ABORT",
    "SHUTDOWN",
    "SHUTDOWN_ACK",
    "ERROR",
    "COOKIE_ECHO",
    "COOKIE_ACK",
    "ECN_ECNE",
    "ECN_CWR",
    "SHUTDOWN_COMPLETE",
    "I_DATA",
    "RE_CONFIG",
    "PAD",
    "ASCONF",
    "ASCONF_ACK",
    "FORWARD_TSN",
    "I_FORWARD_TSN",
    "ALL",
    "NONE",
]


def sctp_chunk(text: str, family: Family) -> str:
    name, colon, flags = text.partition(":")
    return values.one_of(*_SCTP_CHUNKS)(name, family) + colon + "".join(sorted(flags))


DCCP_TYPES = [
    "REQUEST",
    "RESPONSE",
    "DATA",
    "ACK",
    "DATAACK",
    "CLOSEREQ",
    "CLOSE",
    "RESET",
    "SYNC",
    "SYNCACK",
    "INVALID",
]


def _chunk_test(given: GivenOption, _: Family) -> tuple[Match, ...]:
    """``all`` of some chunks are there where each of them is (match_packet in xt_sctp.c). Flags
    are of each chunk that there is."""
    how, chunks = given.values
    assert isinstance(chunks, tuple)
    if how == "only" or any(":" in str(chunk) for chunk in chunks):
        how = "any" if how == "all" and len(chunks) == 1 else how
        return (uninterpreted(f"sctp --chunk-types {how} {values.show(chunks)}", given.negated),)
    each = tuple(uninterpreted(f"sctp --chunk-types any {chunk}") for chunk in chunks)
    if len(each) == 1:
        return (replace(each[0], negated=given.negated),)
    return (AnyOf((each,) if how == "all" else tuple((one,) for one in each), given.negated),)


def _dccp_types_test(given: GivenOption, _: Family) -> tuple[Match, ...]:
    types = given.values[0]
    assert isinstance(types, tuple)
    return (
        each_opaque("dccp", "dccp-types", dict.fromkeys(map(str, types)), negated=given.negated),
    )


def _segment_size_test(given: GivenOption, _: Family) -> tuple[Match, ...]:
    low, high = cast("tuple[int, int]", given.values[0])
    return (uninterpreted(f"tcpmss {spell(given)}", given.negated, SegmentSize(low, high)),)


ROWS: tuple[Extension, ...] = (
    one_option("tcpmss", "mss", values.span(16), lower=field_tests({"mss": _segment_size_test})),
    row(
        "tcp",
        *_port_options(addresses.ports),
        opt("syn", inv=True),
        opt("tcp-flags", tcp_flags, tcp_flags, inv=True),
        opt("tcp-option", values.number(255, 1), inv=True),
        lower=at_most_one(
            "syn",
            "tcp-flags",
            then=_whole(
                _port_tests(printed=False)
                | {
                    "syn": _syn_test,
                    "tcp-flags": _tcp_flags_test,
                    "tcp-option": opaque("tcp"),
                }
            ),
        ),
    ),
    row(
        "udp",
        *_port_options(addresses.any_ports),
        lower=_whole(_port_tests(printed=False)),
    ),
    row(
        "udplite",
        *_port_options(addresses.any_ports),
        lower=_whole(_port_tests(printed=True)),
    ),
    row(
        "sctp",
        *_port_options(addresses.ports),
        opt(
            "chunk-types",
            values.one_of("all", "any", "only", none="only"),
            values.list_of(sctp_chunk, skips=True),
            inv=True,
        ),
        lower=_whole(_port_tests(printed=True) | {"chunk-types": _chunk_test}),
    ),
    row(
        "dccp",
        *_port_options(addresses.any_ports),
        opt("dccp-types", values.list_of(values.one_of(*DCCP_TYPES), skips=True), inv=True),
        opt("dccp-option", values.number(255, 1), inv=True),
        lower=_whole(
            _port_tests(printed=True)
            | {"dccp-types": _dccp_types_test, "dccp-option": opaque("dccp")}
        ),
    ),
    row(
        "multiport",
        opt("source-ports sports", addresses.port_list, inv=True),
        opt("destination-ports dports", addresses.port_list, inv=True),
        opt("ports", addresses.port_list, inv=True),
        lower=just_one(
            "source-ports",
            "destination-ports",
            "ports",
            then=_whole(
                {
                    "source-ports": _multiport(Field.SPORT),
                    "destination-ports": _multiport(Field.DPORT),
                    "ports": _multiport(Field.SPORT, Field.DPORT),
                }
            ),
        ),
    ),
    row(
        "icmp",
        opt("icmp-type", icmp_type(ICMP_TYPES), inv=True, req=True),
        lower=_whole({"icmp-type": _icmp_test(255)}),
        families=IP_ONLY,
    ),
    row(
        "icmp6",
        opt("icmpv6-type", icmp_type(ICMP6_TYPES), inv=True, req=True),
        lower=_whole({"icmpv6-type": _icmp_test(None)}),
        families=IP6_ONLY,
        aliases="icmpv6 ipv6-icmp",
    ),
)
