"""Where the grammars are, and how one becomes a parser.

It takes lark longer to make the tables of a parser than iptlint to check a small file. So a package
has them ready made, and so has a checkout from its installation on (``hatch_build.py`` writes
them); they are made anew each time where a grammar has changed since.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from io import BufferedWriter

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
    """The LALR parser of one grammar, made once a process."""

    def make() -> Lark:
        # Importing lark takes longer than most of what the command line is asked for.
        from lark import Lark

        path = str(grammar_path(name))
        return Lark.open(path, parser="lalr", start=start, maybe_placeholders=False)

    return ready_made(name, start, make)


def ready_made(name: str, more: str, make: Callable[[], Lark]) -> Lark:
    """The parser of a grammar from the tables that the package has, if they are of the same
    grammar, the same lark and the same ``more``, which is all else that it is made of; else it is
    made."""
    from lark import Lark

    try:
        with (_PLACES[0] / f"{name}.tables").open("rb") as file:
            if file.readline() == _made_of(name, more):
                return Lark.load(file)
    except OSError:
        pass
    return make()


def write_tables(file: BufferedWriter, name: str, more: str, parser: Lark) -> None:
    """Writes what ``ready_made`` reads: a line that says what they are made of, and the tables."""
    file.write(_made_of(name, more))
    parser.save(file)


def _made_of(name: str, more: str) -> bytes:
    import hashlib

    import lark

    texts = (path.read_bytes() for path in sorted(grammar_path(name).parent.glob("*.lark")))
    made_of = b"\0".join((lark.__version__.encode(), more.encode(), *texts))
    return hashlib.sha256(made_of).hexdigest().encode() + b"\n"


@cache
def terminal(name: str, symbol: str) -> str:
    """The regular expression of a terminal, for code that has to agree with the grammar: as the
    grammar's text has it, or that of the terminals which all grammars share."""
    for each in (name, "common"):
        text = grammar_path(each).read_text("utf-8")
        if found := re.search(rf"^{symbol}(?:\.\d+)?: /(.+)/$", text, re.MULTILINE):
            return found[1]
    raise KeyError(symbol)


def parse_flat(name: str, start: str, text: str) -> tuple[str, list[Token]] | None:
    """The rule that a text is, and its tokens, for a grammar whose trees have no branches;
    None where the grammar refuses the text."""
    from lark.exceptions import UnexpectedInput

    try:
        tree = load_grammar(name, start).parse(text)
    except UnexpectedInput:
        return None
    return str(tree.data), cast("list[Token]", tree.children)
