"""A parser that was made beforehand is the one that would be made now."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from lark import Lark
from lark.exceptions import UnexpectedInput

from iptlint import grammar
from iptlint.dialects.nft.parsing import language
from iptlint.grammar import grammar_path, load_grammar, ready_made, terminal, write_tables

STATEMENTS = (
    ("chain_item", "tcp dport { 22, 80-90 } ct state new accept"),
    ("chain_item", "type filter hook input priority filter; policy drop;"),
    ("table_item", "set banned"),
    ("command", "add rule inet filter input ip saddr @banned counter packets 0 bytes 0 drop"),
    ("chain_item", "tcp dport dport"),
    ("chain_item", "ip saddr vmap"),
)


def written(monkeypatch: pytest.MonkeyPatch, folder: Path, made: Lark) -> None:
    """A package that has the tables of nft's grammar."""
    with (folder / "nft.tables").open("wb") as file:
        write_tables(file, "nft", language.MADE_OF, made)
    monkeypatch.setattr(grammar, "_PLACES", (folder, grammar_path("nft").parent))


def read(parser: Lark, start: str, text: str) -> object:
    try:
        return parser.parse(text, start=start)
    except UnexpectedInput as error:
        return type(error), error.pos_in_stream


def test_it_reads_the_same(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    made = language.make_language()
    written(monkeypatch, tmp_path, made)
    loaded = ready_made("nft", language.MADE_OF, lambda: pytest.fail("it is there"))
    for start, text in STATEMENTS:
        assert read(loaded, start, text) == read(made, start, text)
    for each in made.terminals:
        pattern = loaded.get_terminal(each.name).pattern
        assert pattern.to_regexp() == each.pattern.to_regexp()


@pytest.mark.parametrize("changed", ["lark", "grammar", "selectors"])
def test_one_of_something_else_is_made_anew(
    changed: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    written(monkeypatch, tmp_path, language.language())
    more = language.MADE_OF
    if changed == "lark":
        monkeypatch.setattr("lark.__version__", "0.1")
    elif changed == "grammar":
        for path in grammar_path("nft").parent.glob("*.lark"):
            (tmp_path / path.name).write_text(path.read_text("utf-8") + "// more\n", "utf-8")
    else:
        more += " meta acme"
    anew = Lark('start: "a"', parser="lalr")
    assert ready_made("nft", more, lambda: anew) is anew


def test_it_is_made_once_a_process() -> None:
    assert load_grammar("iptables_save", "line") is load_grammar("iptables_save", "line")


@pytest.mark.parametrize("name", ["iptables_save", "ipset_save"])
def test_a_terminal_is_what_the_parser_has(name: str) -> None:
    escapes = {r"\t": "\t", r"\r": "\r", r"\n": "\n"}
    for each in load_grammar(name, "line").terminals:
        with suppress(KeyError):
            text = terminal(name, each.name)
            for escape, character in escapes.items():
                text = text.replace(escape, character)
            assert text == each.pattern.to_regexp(), each.name
    for symbol in ("WORD", "UNCLOSED"):
        assert terminal(name, symbol)
