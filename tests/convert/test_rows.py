"""Each row of the tables of conversion: what it writes, and that this is proved."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from iptlint.convert.conversion import Conversion, converted
from iptlint.convert.matches import JOINT, SINGLE
from iptlint.convert.rendering import Rendering, State
from iptlint.convert.targets import TARGETS
from iptlint.convert.text import Style
from iptlint.dialects import Reader, read
from iptlint.model import Family
from iptlint.source import SourceFile
from tests.convert import rows

CHAINS = {
    "filter": ("INPUT", "FORWARD", "OUTPUT"),
    "raw": ("PREROUTING", "OUTPUT"),
    "mangle": ("PREROUTING", "POSTROUTING"),
    "nat": ("PREROUTING", "POSTROUTING"),
}


def ruleset_text(table: str, chain: str, rule: str) -> str:
    lines = [f"*{table}", *(f":{name} ACCEPT [0:0]" for name in CHAINS[table])]
    return "\n".join((*lines, ":user - [0:0]", f"-A {chain} {rule}".rstrip(), "COMMIT", ""))


def conversion(text: str, family: Family = Family.IP) -> Conversion:
    source = SourceFile("rules.v4" if family is Family.IP else "rules.v6", text)
    return converted([read(source, Reader(family)).ruleset], None, Style(), [])


def only_entry(made: Conversion) -> Rendering:
    (entry,) = (entry for _, _, entry in made.entries())
    return entry


def cases(text: str, table: str = "") -> Iterator[tuple[str, ...]]:
    for line in text.strip("\n").splitlines():
        parts = line.split("|", 2) if not table else line.split("|", 3)
        yield tuple(parts)


FILTER = [(Family.IP, "filter", c, r, n) for r, c, n in cases(rows.IPV4)]
FILTER += [(Family.IP6, "filter", c, r, n) for r, c, n in cases(rows.IPV6)]
OTHERS = [(Family.IP, t, c, r, n) for t, c, r, n in cases(rows.OTHER_TABLES, "other")]


@pytest.mark.parametrize(("family", "table", "chain", "rule", "wanted"), [*FILTER, *OTHERS])
def test_it_is_written_so_and_proved(
    family: Family, table: str, chain: str, rule: str, wanted: str
) -> None:
    made = conversion(ruleset_text(table, chain, rule), family)
    entry = only_entry(made)
    assert (entry.state, entry.reason, made.refused) == (State.PROVED, "", [])
    pattern = ".*".join(re.escape(part) for part in wanted.split("…"))
    assert re.fullmatch(pattern, " ".join(entry.lines[0])), entry.lines


@pytest.mark.parametrize(("rule", "chain", "why"), [*cases(rows.NOT_CONVERTED)])
def test_what_nft_has_no_words_for_is_named(rule: str, chain: str, why: str) -> None:
    made = conversion(ruleset_text("filter", chain, rule))
    entry = only_entry(made)
    assert entry.state is State.NOT_CONVERTED
    assert why in entry.reason
    assert f"# not converted: rules.v4:6: -A {chain} {rule}" in made.source.text
    assert not made.holds


UNTRIED = {
    *("LED", "RATEEST", "HMARK", "CLUSTERIP", "SECMARK", "ULOG", "SET", "DNPT", "SNPT", "IPMARK"),
    *("TARPIT", "DELUDE", "CHAOS", "STEAL", "ECHO", "MIRROR", "CHECKSUM", "CONNSECMARK", "HL"),
    *("DROP", "LOG", "IDLETIMER"),
}
"""Rows that say that nft has nothing like it, or that other rows show."""


def test_the_size_of_segments_of_whole_packets() -> None:
    """xt_tcpmss looks for a header in later fragments, too; connection tracking leaves none."""
    text = ruleset_text("filter", "INPUT", "-p tcp -m tcpmss --mss 1:500 -j DROP")
    made = conversion(text.replace("COMMIT", "-A INPUT -m state --state NEW -j DROP\nCOMMIT"))
    assert "tcp option maxseg size 1-500 drop" in made.source.text
    assert made.holds


def test_each_row_is_tried() -> None:
    tried = "\n".join((rows.IPV4, rows.IPV6, rows.OTHER_TABLES, rows.NOT_CONVERTED))
    targets = {name for name in TARGETS if not re.search(rf"-j {name}\b", tried)}
    assert targets <= UNTRIED
    matches = {name for name in JOINT if not re.search(rf"-m {name}\b", tried)}
    assert not matches
    asked = {
        (match, option)
        for match, option in SINGLE
        if not re.search(rf"-m {match}\b.*--{option}\b", tried)
    }
    asked.discard(("tcpmss", "mss"))
    assert {option for _, option in asked} <= {
        *(
            f"ct{way}{side}{port}"
            for way in ("orig", "repl")
            for side in ("src", "dst")
            for port in ("", "port")
        )
    }
