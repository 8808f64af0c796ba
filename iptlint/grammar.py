"""Where the grammars are, and how one becomes a parser."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from lark import Lark, Token

_HERE = Path(__file__).resolve().parent
_PLACES = (_HERE / "_grammars", _HERE.parent / "grammars")
"""In an installed package, and in a checkout."""


def grammar_path(name: str) -> Path:
    """The file of the grammar ``name``; FileNotFoundError where the package has none."""
    for place in _PLACES:
        path = place / f"{name}.lark"
        if path.is_file():
            return path
    raise FileNotFoundError(f"no grammar {name}.lark in {' or '.join(map(str, _PLACES))}")


@cache
def load_grammar(name: str, start: str) -> Lark:
    """The LALR parser of one grammar, built once a process."""
    # Importing lark takes longer than most of what the command line is asked for.
    from lark import Lark

    return Lark.open(str(grammar_path(name)), parser="lalr", start=start, maybe_placeholders=False)


def terminal(name: str, start: str, symbol: str) -> str:
    """The regular expression of a terminal, for code that has to agree with the grammar."""
    return load_grammar(name, start).get_terminal(symbol).pattern.to_regexp()


def parse_flat(name: str, start: str, text: str) -> tuple[str, list[Token]] | None:
    """The rule that a text is, and its tokens, for a grammar whose trees have no branches;
    None where the grammar refuses the text."""
    from lark.exceptions import UnexpectedInput

    try:
        tree = load_grammar(name, start).parse(text)
    except UnexpectedInput:
        return None
    return str(tree.data), cast("list[Token]", tree.children)
