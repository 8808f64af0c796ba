"""Reach, trace and diff answer for rulesets of all kinds, and each is equivalent to itself."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

import iptlint
from iptlint.analysis.exchange import connection
from iptlint.model import Family, Ruleset
from iptlint.packets.packet import Packet
from iptlint.reports.difference import diff_json, diff_text
from iptlint.reports.reach import reach_json
from iptlint.reports.trace import FamilyTrace, trace_json, trace_text
from tests.corpus.rows import CORPUS, WHY_SKIPPED

FOLDERS = ("iptables/valid", "ip6tables/valid", "nft-dump/valid", "nft-script/valid")
EACH = 20
LARGEST = 60_000

pytestmark = pytest.mark.skipif(not CORPUS.is_dir(), reason=WHY_SKIPPED)


def some(folder: str) -> list[Path]:
    found = sorted(path for path in (CORPUS / folder).iterdir() if path.stat().st_size < LARGEST)
    return random.Random(folder).sample(found, EACH)


def read(path: Path) -> Ruleset:
    return iptlint.read(path, Family.IP6 if path.parts[-3] == "ip6tables" else None)


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_command_answers(folder: str) -> None:
    before = None
    for path in some(folder):
        ruleset = read(path)
        assert reach_json(iptlint.reach(ruleset))
        assert iptlint.diff(ruleset, ruleset).equivalent, path.name
        for family in ("ip", "ip6"):
            for asked in (
                Packet(family, None),
                Packet(family, None, iif="eth0", proto="tcp", dport=22),
                Packet(family, None, iif="eth0", oif="eth1"),
            ):
                traced = iptlint.trace(ruleset, asked)
                found = connection(traced)
                assert trace_text([FamilyTrace(traced, found)])
                assert trace_json([FamilyTrace(traced, found)])
        if before is not None:
            changes = iptlint.diff(before, ruleset)
            assert diff_text(changes)
            assert diff_json(changes)
        before = ruleset
