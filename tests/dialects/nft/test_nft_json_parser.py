"""JSON to the tree of the text; whatever it holds, a diagnostic and no traceback."""

from __future__ import annotations

import json
from typing import Any

import pytest

from iptlint.dialects.nft import tree as t
from iptlint.dialects.nft_json.parser import parse
from iptlint.source import SourceFile

TABLE = {"table": {"family": "inet", "name": "t"}}
CHAIN = {"chain": {"family": "inet", "table": "t", "name": "c"}}


def read(*entries: Any) -> t.NftFile:
    return parse(SourceFile("-", json.dumps({"nftables": entries})))


def rule(*statements: Any) -> Any:
    return {"rule": {"family": "inet", "table": "t", "chain": "c", "expr": statements}}


def test_rules_stand_in_their_chains() -> None:
    match = {"op": "==", "left": {"payload": {"protocol": "tcp", "field": "dport"}}, "right": 22}
    found = read(TABLE, CHAIN, rule({"match": match}, {"accept": None}))
    assert found.diagnostics == ()
    (table,) = found.items
    assert isinstance(table, t.Command)
    (chain,) = table.body or ()
    expected = t.Match(t.Payload("tcp", "dport"), "==", t.Value("22", t.Kind.NUMBER))
    assert chain == t.Command(
        None,
        "chain",
        None,
        (t.Value("c", t.Kind.SYMBOL),),
        body=(t.Rule((expected, t.Verdict("accept"))),),
    )


def test_statements_that_nft_prints_as_text() -> None:
    found = read(TABLE, CHAIN, rule("add @m { ip saddr : 0x00000001 }"))
    assert found.diagnostics == ()


def test_null_is_something_of_iptables_nft() -> None:
    found = read(TABLE, CHAIN, rule({"xt": None}))
    assert found.items[0].body[0].body[0].statements == (t.Foreign("", ""),)  # type: ignore


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "IPT001"),
        ("[]", "IPT001"),
        ('{"nftables": 5}', "IPT001"),
        ('{"nftables": [{"rule": {}}]}', "IPT001"),
        ('{"nftables": [{"table": []}]}', "IPT001"),
        ('{"nftables":' + "[" * 99999 + "]" * 99999 + "}", "IPT010"),
    ],
    ids=range(6),
)
def test_what_is_no_listing(text: str, code: str) -> None:
    assert [diagnostic.code for diagnostic in parse(SourceFile("-", text)).diagnostics] == [code]


@pytest.mark.parametrize("statement", [{"unknown": 1}, {"match": {}}, 5, "no rule", {}, None])
def test_what_is_not_understood_is_one_problem(statement: Any) -> None:
    found = read(TABLE, CHAIN, rule(statement), rule({"drop": None}))
    assert len(found.diagnostics) == 1
    assert len(found.items[0].body[0].body) == 1  # type: ignore[union-attr,index,arg-type]
