"""Variables that a script puts into a text before nft reads it: sed and envsubst write values where
nft would find none. What nobody fills in, nft refuses (tests/loads)."""

from __future__ import annotations

from pathlib import Path

import pytest

from iptlint.dialects.files import LocalFiles
from iptlint.dialects.filled_variables import without_filled
from iptlint.dialects.readers import read
from iptlint.source import SourceFile

RULES = """table inet filter {
	chain input {
		type filter hook input priority 0; policy drop;
		iifname $LAN tcp dport 22 accept
	}
}
"""


def told(folder: Path, script: str) -> list[tuple[str, str]]:
    (folder / "install.sh").write_text(f"#!/bin/sh\n{script}\n")
    path = folder / "rules.nft"
    path.write_text(RULES)
    return [(d.code, d.message) for d in read(SourceFile(str(path), RULES)).diagnostics]


@pytest.mark.parametrize(
    "script",
    [
        'sed "s/\\$LAN/$1/g" rules.nft > /etc/nftables.conf',
        "sed -e 's/${LAN}/eth0/' \\\n -e 's/$LAN/eth0/' /srv/fw/rules.nft > /etc/nftables.conf",
        "export LAN=eth0\nenvsubst < rules.nft | nft -f -",
        "LAN=eth0 envsubst '$LAN' < rules.nft | nft -f -",
    ],
)
def test_what_a_script_beside_fills_in_is_not_missing(script: str, tmp_path: Path) -> None:
    filled = "install.sh fills this in before nft reads it"
    assert told(tmp_path, script) == [("IPT002", filled)]


@pytest.mark.parametrize(
    "script",
    [
        "nft -f rules.nft",
        "sed 's/$LAN/eth0/' other.nft",
        "# sed 's/$LAN/eth0/' rules.nft\nnft -f rules.nft",
        "sed 's/$LAN2/eth0/' rules.nft",
        "export WAN=eth0\nenvsubst < rules.nft | nft -f -",
    ],
)
def test_what_nobody_fills_in_is_missing(script: str, tmp_path: Path) -> None:
    assert told(tmp_path, script) == [("IPT001", "there is no variable $LAN")]


def test_a_text_that_is_in_no_file_has_no_script_beside_it() -> None:
    source = SourceFile("<stdin>", RULES)
    wrong = read(source).diagnostics
    assert [*without_filled(source, wrong, LocalFiles())] == [*wrong]
