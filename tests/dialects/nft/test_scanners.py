"""Lexers whose longest terminal is compiled once find the tokens that they found without."""

from __future__ import annotations

import random

import pytest
from lark import Lark, Token
from lark.exceptions import UnexpectedInput

from iptlint.dialects.nft.parsing import language, scanners
from iptlint.dialects.nft.parsing.selectors import PATTERN
from iptlint.grammar import ready_made

GRAMMAR = """
start: (list | pair)*
list: LONGEST+ ";"
pair: WORD "is" (LONGEST | "b") ";"
LONGEST: /(?:ab|ba|abc|a is|is b|ca)(?![abc])/
WORD: /[abc]+/
%ignore " "
"""


def tokens(parser: Lark, text: str) -> list[Token] | tuple[object, ...]:
    try:
        return list(parser.parse(text).scan_values(lambda each: isinstance(each, Token)))
    except UnexpectedInput as error:
        return type(error), error.pos_in_stream, getattr(error, "token", None)


@pytest.mark.parametrize("seed", range(4))
def test_the_tokens_are_the_same(seed: int) -> None:
    dice = random.Random(seed)
    alone, shared = (Lark(GRAMMAR, parser="lalr") for _ in range(2))
    scanners.share(shared, "LONGEST", shared.get_terminal("LONGEST").pattern.value)
    for _ in range(3_000):
        text = "".join(dice.choices(("a", "b", "c", " ", ";", " is "), k=dice.randrange(9)))
        for each in (text, f"ab {text};", f"c is {text};"):
            assert tokens(shared, each) == tokens(alone, each), each


def test_a_selector_is_the_first_wherever_it_may_come() -> None:
    """So it makes no difference whether its expression is one with the others."""
    parser = ready_made("nft", language.MADE_OF, language.make_language)
    scanners.share(parser, "SELECTOR", PATTERN)
    lexers = {id(each): each for each in parser.parser.lexer.lexers.values()}.values()
    found = 0
    for lexer in lexers:
        if "SELECTOR" in {terminal.name for terminal in lexer.terminals}:
            (expression,) = lexer.scanner._mres
            assert isinstance(expression, scanners._Either)
            assert PATTERN in expression.first.pattern
            assert PATTERN not in expression.second.pattern
            found += 1
    assert found > 10
