"""The grammar, and one statement read with it."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any

from iptlint.dialects.nft.parsing.reserved import RESERVED, VALUES
from iptlint.dialects.nft.parsing.scanners import share
from iptlint.dialects.nft.parsing.selectors import PATTERN
from iptlint.grammar import grammar_path, ready_made

if TYPE_CHECKING:
    from lark import Lark, Tree
    from lark.exceptions import UnexpectedInput
    from lark.lexer import TerminalDef
    from lark.parsers.lalr_interactive_parser import InteractiveParser

STARTS = {
    "top": "command",
    "table": "table_item",
    "chain": "chain_item",
    "set": "set_items",
    "map": "set_items",
    "flowtable": "flowtable_items",
    "counter": "counter_items",
    "quota": "quota_items",
    "limit": "limit_items",
    "secmark": "secmark_items",
    "synproxy": "synproxy_items",
    "ct helper": "helper_items",
    "ct timeout": "timeout_items",
    "ct expectation": "expectation_items",
    "tunnel": "tunnel_items",
    "elements": "element",
}
"""The start symbol for a statement, by the block it stands in."""

_WORD = re.compile(r"(?!\.$)[A-Za-z_.][A-Za-z0-9_./\-]*")

MADE_OF = " ".join((*sorted(set(STARTS.values())), PATTERN))
"""What the parser is made of beside the grammar."""


@cache
def language() -> Lark:
    """The LALR parser, made once a process."""
    parser = ready_made("nft", MADE_OF, make_language)
    share(parser, "SELECTOR", PATTERN)
    return parser


def make_language() -> Lark:
    from lark import Lark

    return Lark(
        grammar_path("nft").read_text(encoding="utf-8"),
        parser="lalr",
        start=sorted(set(STARTS.values())),
        edit_terminals=_with_selectors,
        propagate_positions=True,
        maybe_placeholders=True,
    )


def _with_selectors(terminal: TerminalDef) -> None:
    from lark.lexer import PatternRE

    if terminal.name == "SELECTOR":
        terminal.pattern = PatternRE(PATTERN)


def parse_statement(text: str, start: str) -> Tree[Any]:
    """Lark's tree; lark's UnexpectedInput where the text is none of ``start``."""
    return language().parse(text, start=start, on_error=_as_plain_word)


def _as_plain_word(error: UnexpectedInput) -> bool:
    """Go on with a keyword that is none here as the plain word that it then is."""
    from lark import Token
    from lark.exceptions import UnexpectedToken

    if not isinstance(error, UnexpectedToken) or error.token.type == "WORD":
        return False
    token, parser = error.token, error.interactive_parser
    if not _WORD.fullmatch(token) or (token in RESERVED and token not in VALUES):
        return False
    if "WORD" not in accepted(parser):
        return False
    parser.feed_token(Token.new_borrow_pos("WORD", str(token), token))
    return True


_ACCEPTED: dict[tuple[object, ...], frozenset[str]] = {}
_MOST_KEPT = 4096


def accepted(parser: InteractiveParser) -> frozenset[str]:
    """The terminals that may follow. The states that the parser is in say which, and where a file
    has an error a line, they are mostly the same: lark tries each terminal on a copy."""
    state = parser.parser_state
    states = (state.parse_conf.start, *state.state_stack)
    known = _ACCEPTED.get(states)
    if known is None:
        if len(_ACCEPTED) == _MOST_KEPT:
            _ACCEPTED.clear()
        known = _ACCEPTED[states] = frozenset(parser.accepts())  # type: ignore[no-untyped-call]
    return known
