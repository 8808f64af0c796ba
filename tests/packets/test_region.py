"""Where packets are: at the points at which one of them is when each is asked."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest

from iptlint.model import Family, Field
from iptlint.netfilter import table_analysis
from iptlint.netfilter.long_chain import LongChain
from iptlint.packets.region import Region, packets_at
from tests.firewalls import analysis_of, saved

RULES = (
    "-A INPUT -s {}/24 -p tcp -m tcp --dport 22 -j DROP",
    "-A INPUT -s {}/32 -d {}/16 -j ACCEPT",
)


@pytest.fixture(autouse=True)
def _every_chain_is_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table_analysis, "LONG", 0)


def chain_of(ipv6: bool) -> LongChain:
    ends = ("2001:db8::", "2001:db8:1::") if ipv6 else ("192.0.2.0", "198.51.0.0")
    rules = [rule.format(*ends) for rule in RULES]
    flow = analysis_of(saved(*rules), Family.IP6 if ipv6 else Family.IP).flows["INPUT"]
    assert isinstance(flow, LongChain)
    return flow


@pytest.mark.parametrize("ipv6", [False, True])
@pytest.mark.parametrize("shape", ["sides", "either", "one field", "anywhere", "nowhere"])
@pytest.mark.parametrize("seed", range(4))
def test_it_holds_the_points_of_its_packets(shape: str, seed: int, ipv6: bool) -> None:
    flow, draw = chain_of(ipv6), Random(seed)
    space, columns = flow.space, flow.columns
    saddr, daddr = (Field.SADDR6, Field.DADDR6) if ipv6 else (Field.SADDR, Field.DADDR)
    top = space.fields[saddr].maximum
    cuts = sorted(draw.randrange(top) for _ in range(6))
    sources = space.ranges(saddr, ((0, cuts[0]), (cuts[1], cuts[2]), (cuts[5], top)))
    targets = space.ranges(daddr, ((cuts[1], cuts[4]),))
    ports = space.ranges(Field.DPORT, ((draw.randrange(100), 30000), (40000, 65535)))
    new = space.state("new")
    packets = {
        "sides": sources & targets & ports & new,
        "either": (sources | targets | ports) & new,
        "one field": sources & new,
        "anywhere": new,
        "nowhere": space.false,
    }[shape]
    edges = [0, *cuts, *(cut + 1 for cut in cuts), *(cut - 1 for cut in cuts), top]
    points = np.array(
        [
            [
                draw.choice((29999, 30000, 30001, 40000, 0, 65535))
                if dimension.field is Field.DPORT
                else draw.choice(edges) >> dimension.shift & dimension.maximum
                for dimension in columns.dimensions
            ]
            for _ in range(200)
        ],
        np.uint64,
    ).T
    expected = [(packets_at(space, columns, point) & packets).satisfiable() for point in points.T]
    assert Region(space, columns, packets).holds(points).tolist() == expected
