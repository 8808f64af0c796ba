"""What connections began with, as xt_conntrack.c and nft_ct.c read it: the tuple of the original
direction, which is that of the first packet before anything translates it."""

from __future__ import annotations

import pytest

from iptlint.model import Field, Opaque
from iptlint.model.matches import Original
from iptlint.packets.original import as_connections_begin, begun_by, knowing_original, originals_of
from iptlint.packets.packet import Packet
from iptlint.packets.space import Space
from tests.firewalls import hooks_of, packets, saved

PORT_80 = Original(Field.DPORT, ((80, 80),))


def space_with(original: Original) -> Space:
    return Space(("ip",), (Opaque("asked", asks=original),), defragmented=True)


@pytest.mark.parametrize(
    ("test", "fields"),
    [
        ("--ctorigdstport 8080", {"dport": 8080}),
        ("--ctorigsrc 198.51.100.0/24", {"saddr": "198.51.100.0/24"}),
        ("--ctorigdst 192.0.2.1", {"daddr": "192.0.2.1"}),
    ],
)
def test_before_translation_a_packet_has_what_it_came_with(
    test: str, fields: dict[str, object]
) -> None:
    """xt_conntrack.c compares the tuple of the original direction, which is the packet itself."""
    hooks = hooks_of(saved(f"-A INPUT -p tcp -m conntrack {test} -j ACCEPT"))
    (analysis,) = hooks.firewall.analyses()
    ((_, rule),) = analysis.table.rules()
    such = packets(hooks.space, proto="tcp", **fields)
    new = packets(hooks.space, proto="tcp", ct_state="new", iif="eth0")
    known = knowing_original(hooks.space, new)
    held = known & analysis.tests(rule).may
    assert held.satisfiable()
    assert not (held & ~such).satisfiable()
    assert not (known & such & ~analysis.tests(rule).may).satisfiable()


@pytest.mark.parametrize(
    ("fields", "may_hold", "may_fail"),
    [
        ({"ct_state": "new", "dport": 80}, True, False),
        ({"ct_state": "new", "dport": 8080}, False, True),
        ({"ct_state": "established", "dport": 8080}, True, True),  # it may be an answer
        ({"ct_state": "related", "dport": 8080}, True, True),
        ({"ct_state": "new", "dport": 8080, "iif": "lo"}, True, True),  # translated in output
    ],
)
def test_which_packets_show_it(fields: dict[str, object], may_hold: bool, may_fail: bool) -> None:
    space = space_with(PORT_80)
    holds = originals_of(space)[PORT_80]
    such = packets(space, proto="tcp", **({"iif": "eth0"} | fields)) & as_connections_begin(space)
    assert (such & holds).satisfiable() is may_hold
    assert (such & ~holds).satisfiable() is may_fail


def test_an_echo_request_is_sent_to_its_type() -> None:
    """nf_conntrack_tuple.h: type and code stand where others have the port."""
    echo = Original(Field.DPORT, ((0x0800, 0x0800),))
    space = space_with(echo)
    such = packets(space, proto="icmp", icmp_type=8, icmp_code=0, ct_state="new", iif="eth0")
    such = such & as_connections_begin(space)
    assert such.satisfiable()
    assert not (such & ~originals_of(space)[echo]).satisfiable()


@pytest.mark.parametrize(
    ("original", "holds"),
    [
        (PORT_80, True),
        (Original(Field.SPORT, ((80, 80),)), False),
        (Original(Field.SADDR, ((0xC0000201, 0xC0000201),)), True),
        (Original(Field.DADDR6, ((0xC000020A, 0xC000020A),)), False),
    ],
)
def test_the_connection_of_one_packet(original: Original, holds: bool) -> None:
    space = Space(("ip", "ip6"), (Opaque("asked", asks=original),), defragmented=True)
    packet = Packet(
        "ip", None, saddr="192.0.2.1", daddr="192.0.2.10", proto="tcp", sport=40000, dport=80
    )
    ((_, said),) = begun_by(space, packet).items()
    assert said == (space.true if holds else space.false)


@pytest.mark.parametrize(("code", "holds"), [(0, True), (1, False)])
def test_the_connection_of_one_echo_request(code: int, holds: bool) -> None:
    """Type 8, code 0: 0x0800, where others have the port that they are sent to."""
    original = Original(Field.DPORT, ((0x0800, 0x0800),))
    space = space_with(original)
    ((_, said),) = begun_by(
        space,
        Packet(
            "ip",
            None,
            saddr="192.0.2.1",
            daddr="192.0.2.10",
            proto="icmp",
            icmp_type=8,
            icmp_code=code,
        ),
    ).items()
    assert said == (space.true if holds else space.false)
