"""What ``nft -j -f`` refuses, each put to it once (nftables 1.0.6, Linux 6.18)."""

from __future__ import annotations

import json

import pytest

from iptlint.dialects import Reader, read
from iptlint.loads.judges import load, unjudged
from iptlint.source import SourceFile

TABLE = {"table": {"family": "inet", "name": "t"}}
SET = {"set": {"family": "inet", "table": "t", "name": "s", "type": "ipv4_addr"}}


def chain(hook: str = "input", kind: str = "filter", name: str = "chain") -> object:
    content = {"family": "inet", "table": "t", "name": name, "type": kind, "hook": hook}
    return {"chain": {**content, "prio": 0, "policy": "accept"}}


def rule(*statements: object) -> object:
    return {"rule": {"family": "inet", "table": "t", "chain": "chain", "expr": list(statements)}}


def match(protocol: str, field: str, right: object) -> object:
    left = {"payload": {"protocol": protocol, "field": field}}
    return {"match": {"op": "==", "left": left, "right": right}}


def text(*entries: object) -> str:
    return json.dumps({"nftables": list(entries)})


def causes(*entries: object) -> list[str]:
    answer = load(read(SourceFile("rules.json", text(*entries)), Reader()))
    assert answer is not None
    assert answer.tool == "nft -j -f"
    return [refusal.cause for refusal in answer.refusals]


FLUSH = {"flush": {"ruleset": None}}
WITH_HASH = {"log": {"prefix": "# of packets"}}


def test_what_nft_lists_is_taken() -> None:
    """A name may be a word of the language there, and a # is no comment."""
    assert causes(TABLE, chain(), SET, rule(match("ip", "saddr", "@s"), WITH_HASH)) == []
    added = [{"add": entry} for entry in (TABLE, chain(), rule({"accept": None}))]
    assert causes(FLUSH, *added) == []


IN_RULE = "chain chain of table inet t, rule 1: "


@pytest.mark.parametrize(
    ("entries", "cause"),
    [
        ([chain("postrouting"), rule({"reject": None})], "table inet t: reject is refused in"),
        ([chain("forward", "nat")], "chain chain of table inet t: there are no chains of type nat"),
        ([chain(), rule(match("tcp", "saddr", 1))], f"{IN_RULE}tcp has no field saddr"),
        ([chain(), rule(match("inet", "saddr", 1))], f"{IN_RULE}there is no header inet"),
        ([chain(), rule(match("ip", "saddr", "::1"))], f"{IN_RULE}`::1` is no IPv4 address"),
        ([chain(), rule(match("ip", "saddr", "@s"))], f"{IN_RULE}there is no set s"),
        ([chain(), rule({"jump": {"target": "x"}})], "table inet t: there is no chain x"),
    ],
)
def test_the_cause_says_where(entries: list[object], cause: str) -> None:
    (said,) = causes(TABLE, *entries)
    assert said.startswith(cause)


def test_text_that_is_no_json_is_refused() -> None:
    answer = load(read(SourceFile("rules.json", '{"nftables": [{"table": '), Reader()))
    assert answer is not None
    assert not answer.taken


def test_of_what_is_not_understood_nothing_is_said() -> None:
    reading = read(SourceFile("rules.json", text(TABLE, {"rename": {"chain": {}}})), Reader())
    assert load(reading) is None
    assert "not understood" in unjudged(reading)


def test_a_script_is_not_judged() -> None:
    reading = read(SourceFile("fw.sh", "#!/bin/sh\niptables -A INPUT -o eth0\n"), Reader())
    assert load(reading) is None
    assert "a script is run" in unjudged(reading)
