"""Whole hosts as one file of nft: each rule that decides anything is proved, and all together."""

from __future__ import annotations

from pathlib import Path

import pytest

from iptlint.convert.conversion import compare_wholes, converted
from iptlint.convert.rendering import State
from iptlint.convert.text import Style
from iptlint.dialects import Reader, read
from iptlint.dialects.sets import read_sets, together
from iptlint.source import SourceFile
from tests.expectations import FIXTURES

HOSTS = sorted(path.parent for path in (FIXTURES / "hosts").glob("*/rules.v4"))
NAMED = {
    "docker-host": "what the ipset banned holds is not known",
    "kube-flannel": "the match nfacct: nft has no test like",
    # Behind TPROXY, the two tests of a socket that stand for one of iptables are each open.
    "cilium-node": "the rule of nft takes fewer packets",
}
"""Of which rules are named, and why."""


@pytest.mark.parametrize("host", HOSTS, ids=lambda path: path.name)
def test_a_host_fares_alike(host: Path) -> None:
    texts = {path.name: SourceFile(path.name, path.read_text("utf-8")) for path in host.iterdir()}
    readings = [read(each, Reader()) for name, each in texts.items() if name.startswith("rules.")]
    ipsets = [read_sets(each) for name, each in texts.items() if name.startswith("ipset")]
    known, sets = together([*readings, *ipsets])
    rulesets = [reading.ruleset for reading in known if reading.ipset is None]
    made = converted(rulesets, sets, Style(), [])
    compare_wholes(made)
    named = (*made.of_state(State.NOT_CONVERTED), *made.of_state(State.NOT_PROVED))
    assert made.refused == []
    if host.name in NAMED:
        assert {each.reason.startswith(NAMED[host.name]) for each in named} == {True}
    else:
        assert named == ()
        assert made.whole == "every packet fares alike in both"
