"""Tests of single bits, which `nft -o` (1.0.6) merges as if they were values of their own.

``tcp flags syn`` holds for every packet with that bit, whatever others it has; in a list or a map
it is a value, and no other bit may be set. So a merge of such rules takes other packets.
"""

from __future__ import annotations

import shutil
import subprocess

import pytest

import iptlint
from iptlint.analysis.diff import difference
from iptlint.linter.run import lint
from iptlint.source import SourceFile

CODES = ("IPT501", "IPT502", "IPT505")


def chain(*rules: str) -> str:
    inside = "\n".join(rules)
    return f"table ip t {{\nchain input {{\ntype filter hook input priority 0;\n{inside}\n}}\n}}\n"


MERGED_WRONGLY = [
    (
        [
            *("tcp flags syn accept", "tcp flags ack drop"),
            *("tcp flags fin accept", "tcp flags rst drop"),
        ],
        "tcp flags vmap { syn : accept, ack : drop, fin : accept, rst : drop }",
    ),
    (
        ["tcp flags syn drop", "tcp flags ack drop", "tcp flags fin drop"],
        "tcp flags { syn, ack, fin } drop",
    ),
    (
        ["ct status snat drop", "ct status dnat drop", "ct status assured drop"],
        "ct status { snat, dnat, assured } drop",
    ),
    (
        ["tcp dport & 1 == 1 drop", "tcp dport & 2 == 2 drop", "tcp dport & 4 == 4 drop"],
        "tcp dport & 1 == { 1, 2, 4 } drop",
    ),
    (
        [
            *("meta mark & 0x1 == 0x1 accept", "meta mark & 0x2 == 0x2 drop"),
            *("meta mark & 0x4 == 0x4 accept", "meta mark & 0x8 == 0x8 drop"),
        ],
        "meta mark & 1 vmap { 1 : accept, 2 : drop, 4 : accept, 8 : drop }",
    ),
    (
        [
            "tcp dport 22 tcp flags syn drop",
            "tcp dport 80 tcp flags ack drop",
            "tcp dport 443 tcp flags fin drop",
        ],
        "tcp dport . tcp flags { 22 . syn, 80 . ack, 443 . fin } drop",
    ),
]
"""Rules, and what ``nft -c -o`` says that it makes of them."""


@pytest.mark.parametrize(("rules", "merged"), MERGED_WRONGLY)
def test_what_nft_merges_wrongly_is_left_alone(rules: list[str], merged: str) -> None:
    text = chain(*rules)
    assert lint([SourceFile("a.nft", text)], select=CODES).findings == ()
    told = difference(iptlint.read(text), iptlint.read(chain(merged)))
    assert told.certain
    assert not told.equivalent


@pytest.mark.skipif(shutil.which("nft") is None, reason="nft is not installed")
@pytest.mark.parametrize(("rules", "merged"), MERGED_WRONGLY)
def test_nft_does_merge_them(rules: list[str], merged: str) -> None:
    done = subprocess.run(
        ["unshare", "-n", "nft", "-c", "-o", "-f", "-"],
        input=chain(*rules),
        capture_output=True,
        text=True,
        check=False,
    )
    if "unshare" in done.stderr or "-o" in done.stderr:
        pytest.skip(f"no namespace, or a version of nft without -o: {done.stderr[:100]}")
    assert merged in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("rules", "merged"),
    [
        (
            [f"tcp flags syn tcp dport {port} drop" for port in (25, 110, 143, 465, 587)],
            "tcp flags syn tcp dport { 25, 110, 143, 465, 587 } drop",
        ),
        (
            [
                *("ct state new accept", "ct state established drop"),
                *("ct state related accept", "ct state invalid drop"),
            ],
            "ct state vmap { new : accept, established : drop, related : accept, invalid : drop }",
        ),
    ],
)
def test_what_has_one_value_a_packet_is_merged(rules: list[str], merged: str) -> None:
    """A packet has one state. What is tested besides, bits or not, stays as it is."""
    text = chain(*rules)
    (finding,) = lint([SourceFile("a.nft", text)], select=CODES).findings
    assert finding.help.endswith(f"`{merged}`")
    told = difference(iptlint.read(text), iptlint.read(chain(merged)))
    assert (told.equivalent, told.certain) == (True, True)
