"""What may follow in a statement, remembered by the states that the parser is in."""

from __future__ import annotations

import pytest
from lark.exceptions import UnexpectedToken
from lark.parsers.lalr_interactive_parser import InteractiveParser

from iptlint.dialects.nft.parsing import language as module
from iptlint.dialects.nft.parsing.language import STARTS, accepted, language

WRONG = [
    ("top", "xyzzy plugh ;"),
    ("top", "add rule ip t c tcp dport ,"),
    ("chain", "ip saddr { 1.1.1.1, } }"),
    ("chain", "tcp dport 22 accept ,"),
    ("elements", "1.1.1.1 . ,"),
]


def stopped(context: str, text: str) -> InteractiveParser:
    with pytest.raises(UnexpectedToken) as caught:
        language().parse(text, start=STARTS[context])
    return caught.value.interactive_parser


@pytest.mark.parametrize(("context", "text"), WRONG)
def test_it_is_what_lark_finds_by_trying(context: str, text: str) -> None:
    parser = stopped(context, text)
    tried = parser.accepts()
    assert tried
    assert accepted(parser) == accepted(stopped(context, text)) == tried


def test_lark_is_asked_once_for_a_hundred_errors_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[InteractiveParser] = []
    accepts = InteractiveParser.accepts
    monkeypatch.setattr(module, "_ACCEPTED", {})
    monkeypatch.setattr(
        InteractiveParser, "accepts", lambda self: asked.append(self) or accepts(self)
    )
    for _ in range(100):
        accepted(stopped("top", "xyzzy plugh ;"))
    assert len(asked) == 1
