"""Boxes cut up by rows: what is taken and what is left together are what there was, each packet
once."""

from __future__ import annotations

from itertools import product
from random import Random

import numpy as np
import pytest

from iptlint.packets.backgrounds import Backgrounds
from iptlint.packets.pieces import Pieces, cut, joined
from tests.firewalls import analysis_of, saved
from tests.netfilter.test_long_chain import both_ways

PORTS = range(8)


def packets_of(pieces: Pieces) -> list[tuple[int, int, int, int]]:
    """Of each packet in a piece the owner, the background, the ports; as often as it is there."""
    return [
        (int(owner), int(background), *ports)
        for owner, background, low, high in zip(
            pieces.owner, pieces.background, pieces.low.T, pieces.high.T, strict=True
        )
        for ports in product(*(range(int(a), int(b) + 1) for a, b in zip(low, high, strict=True)))
    ]


@pytest.mark.parametrize("seed", range(8))
def test_what_is_taken_and_what_is_left(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("iptlint.netfilter.table_analysis.LONG", 0)
    monkeypatch.setattr("iptlint.packets.chain_shape._MOST_ROWS", 1 << 30)
    draw = Random(seed)

    def ends() -> tuple[int, int]:
        low, high = sorted(draw.choices(PORTS, k=2))
        return low, high

    def rule() -> str:
        ports = "--sport {}:{} --dport {}:{}".format(*ends(), *ends())
        state = draw.choice(("", "-m conntrack --ctstate NEW"))
        return f"-A INPUT -p tcp -m tcp {ports} {state} -j DROP"

    analysis = analysis_of(saved(*(rule() for _ in range(12))))
    long = both_ways(analysis, "INPUT")[1]
    columns, rests = long.columns, long.rules.rests  # type: ignore[attr-defined]
    backgrounds = Backgrounds(analysis.space, rests)
    whole = backgrounds.all_beside(analysis.space.universe)
    boxes = [(ends(), ends()) for _ in range(20)]
    low, high = (
        np.array([[box[side][end] for box in boxes] for side in range(2)], np.uint64)
        for end in range(2)
    )
    pieces = Pieces(np.arange(20), low, high, np.full(20, whole, np.int64))
    rows = np.array([draw.randrange(12) for _ in range(20)], np.int64)
    inside, left = cut(pieces, columns, rows, backgrounds)

    taken, rest = packets_of(inside), packets_of(left)
    assert len({*taken, *rest}) == len(taken) + len(rest)
    for owner, row in enumerate(rows.tolist()):
        ports = {p[2:] for p in packets_of(pieces.where(pieces.owner == owner))}
        held = {
            p
            for p in ports
            if all(columns.low[d][row] <= p[d] <= columns.high[d][row] for d in range(2))
        }
        assert {p[2:] for p in taken if p[0] == owner} == held
        beside = rests[columns.rest[row]].sure
        of_row = backgrounds.taken(np.array([whole]), columns.rest[[row]])[0]
        assert backgrounds.packets(of_row) == analysis.space.universe & beside
        left_of_row = backgrounds.left(np.array([whole]), columns.rest[[row]])[0]
        left_over = {(left_of_row, *p) for p in ports} | {(of_row, *p) for p in ports - held}
        untouched = {(whole, *p) for p in ports}
        own = {p[1:] for p in rest if p[0] == owner}
        assert own == (left_over if held else untouched)
    assert packets_of(joined([inside, left])) == taken + rest
