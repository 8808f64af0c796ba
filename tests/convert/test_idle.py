"""Rules without words in nft: which may be left out, as they decide nothing, and which may not."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner, Result

from iptlint.cli import group
from iptlint.convert.conversion import Conversion, compare_wholes
from iptlint.convert.rendering import State
from tests.convert.test_rows import conversion, ruleset_text
from tests.expectations import broken

_FILLED = "-p udp -m udp --dport 68 -j CHECKSUM --checksum-fill"


def whole(table: str, chain: str, rule: str) -> Conversion:
    made = conversion(ruleset_text(table, chain, rule))
    compare_wholes(made)
    return made


@pytest.mark.parametrize(
    ("table", "rule", "missing"),
    [
        ("mangle", _FILLED, "the checksum"),
        ("mangle", "-j IDLETIMER --timeout 5 --label x", "what it tells programs"),
        ("filter", "-j LED --led-trigger-id x", "its light"),
        ("filter", '-j LOG --log-prefix "a$b"', "its log"),
        (
            "mangle",
            "-j RATEEST --rateest-name a --rateest-interval 1s --rateest-ewmalog 2s",
            "the rate",
        ),
        ("filter", "-m string --string x --algo bm", "its count"),
        ("filter", "-m string --string x --algo bm -m limit --limit 1/s", "its count"),
        ("filter", "-p tcp -m osf --genre Linux --log 0", "its count and its log"),
    ],
)
def test_a_rule_that_decides_nothing_is_left_out_and_named(
    table: str, rule: str, missing: str
) -> None:
    """The packets go on as they were (xt_CHECKSUM.c, xt_IDLETIMER.c, xt_LED.c, xt_LOG.c)."""
    chain = "POSTROUTING" if table == "mangle" else "INPUT"
    made = whole(table, chain, rule)
    (entry,) = made.of_state(State.LEFT_OUT)
    assert f"nothing but {missing}" in entry.reason
    assert (
        f"# left out: rules.v4:{entry.rules[0].statement.span.line}: -A {chain} {rule.split()[0]}"
        in made.source.text
    )
    assert (made.holds, made.fares_alike) == (False, True)
    assert made.whole == "every packet fares alike in both"


@pytest.mark.parametrize(
    ("table", "rule"),
    [
        ("filter", "-m string --string x --algo bm -j DROP"),
        ("filter", "-m string --string x --algo bm -j user"),
        ("filter", "-m string --string x --algo bm -m recent --set --name a"),
        ("filter", "-m string --string x --algo bm -m conntrack --ctstate NEW"),
        ("filter", "-m physdev --physdev-in eth0"),
        ("mangle", "-j HMARK --hmark-tuple src --hmark-mod 2 --hmark-rnd 1"),
        (
            "mangle",
            "-m cluster --cluster-total-nodes 2 --cluster-local-node 1 --cluster-hash-seed 1",
        ),
        ("filter", "-m nosuch --foo 1"),
    ],
)
def test_what_may_decide_something_is_not_left_out(table: str, rule: str) -> None:
    """physdev shows the packets of bridges to iptables, a test of connections has them tracked, a
    list and a mark are asked again, cluster writes how a packet came."""
    made = whole(table, "PREROUTING" if table == "mangle" else "INPUT", rule)
    assert not made.of_state(State.LEFT_OUT)
    assert not made.fares_alike
    assert made.whole == ""


def test_a_rate_that_a_match_asks_for_is_measured() -> None:
    measured = "-j RATEEST --rateest-name a --rateest-interval 1s --rateest-ewmalog 2s"
    asks = "-m rateest --rateest1 a --rateest-gt --rateest-bps1 1kbit -j DROP"
    text = ruleset_text("mangle", "PREROUTING", measured)
    made = conversion(text.replace("COMMIT", f"-A PREROUTING {asks}\nCOMMIT"))
    assert len(made.of_state(State.NOT_CONVERTED)) == 2


def run(*arguments: str, text: str) -> Result:
    return CliRunner().invoke(group, ["convert", *arguments], input=text, standalone_mode=False)


def test_the_command_says_so_and_its_status_is_that_of_a_rule_that_is_not_converted() -> None:
    text = ruleset_text("mangle", "POSTROUTING", _FILLED)
    told = run("-", text=text)
    assert told.return_value == 1
    assert "  -:5: -A POSTROUTING -p udp" in told.stderr
    assert told.stderr.endswith(
        "0 of 1 rules converted and proved, 1 left out that decides nothing; every packet fares "
        "alike in both\n"
    )
    answer = json.loads(run("-", "--output-format", "json", text=text).stdout)
    assert (answer["proved"], answer["whole"]) == (False, True)
    assert [rule["state"] for rule in answer["rules"]] == ["left_out"]
    assert answer["summary"]["left_out"] == 1
    assert broken(answer, "conversion") == []
