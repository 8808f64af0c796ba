"""Where the shell gives up, as a block ends that was not begun, or another one wants its end.

The grammar guesses at what was meant and goes on: a reserved word that it has no place for is a
command to it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from tree_sitter import Node as SyntaxNode

_OPENS = {
    "if": "fi",
    **dict.fromkeys(("for", "while", "until", "select"), "done"),
    "case": "esac",
    "{": "}",
    "${": "}",
}
"""What a block begins with, and ends with."""

_MIDDLES = {"then": "fi", "elif": "fi", "else": "fi", "do": "done", ";;": "esac"}
"""What stands within a block, which is known by its end."""

_FIRST = {"fi": "then", "done": "do"}
"""What has to come before the end of a block; ``then`` behind each ``elif``, too."""

_RESERVED = {*_OPENS, *_MIDDLES, *_OPENS.values()}
_NOTHING = ("comment", ";", "&", "\n")
"""What is no command."""


@dataclass(frozen=True, slots=True)
class Misfit:
    """The word that does not fit; at the end of the text it is empty. ``within``: where the line
    begins of what the shell was about to carry out."""

    start: int
    end: int
    within: int
    message: str


@dataclass(slots=True)
class _Block:
    """``wants``: the word without which it cannot end. ``empty``: no command since its last."""

    word: str
    start: int
    line: int
    wants: str | None
    empty: bool = True

    @property
    def end(self) -> str:
        return _OPENS[self.word]

    def __str__(self) -> str:
        return f"the `{self.word}` of line {self.line}"


def misfit(root: SyntaxNode, text: str) -> Misfit | None:
    """The first one. None too where the grammar has lost its way: it took a line for a part of the
    command before it, as happens in long texts."""
    blocks: list[_Block] = []
    for node in _leaves(root):
        if _swallows_line(node, text):
            return None
        word = _word(node, text)
        if word is None:
            continue
        message = _step(blocks, word, node)
        if message is not None:
            within = _line_start(text, blocks[0].start if blocks else node.start_byte)
            return Misfit(node.start_byte, node.end_byte, within, message)
    if not blocks or blocks[-1].word == "${":
        return None
    message = f"`{blocks[-1].end}` is missing: {blocks[-1]} does not end"
    return Misfit(root.end_byte, root.end_byte, _line_start(text, blocks[0].start), message)


def _line_start(text: str, at: int) -> int:
    return text.rfind("\n", 0, at) + 1


def _leaves(root: SyntaxNode) -> Iterator[SyntaxNode]:
    """Commands and their names, and the leaves of the tree, each before those within it."""
    todo = [root]
    while todo:
        node = todo.pop()
        if node.type in ("command", "command_name") or not node.children:
            yield node
        todo += reversed(node.children)


def _swallows_line(node: SyntaxNode, text: str) -> bool:
    if node.type != "command":
        return False
    gaps = (text[one.end_byte : other.start_byte] for one, other in pairwise(node.children))
    return any("\n" in gap.replace("\\\n", "") for gap in gaps)


def _word(node: SyntaxNode, text: str) -> str | None:
    """A reserved word where it is one; what is none says that there is something."""
    if node.type == "command":
        return None
    if node.type == "command_name":
        name = text[node.start_byte : node.end_byte]
        plain = len(node.children) == 1 and node.children[0].type == "word"
        return name if plain and name in _RESERVED else ""
    is_empty = node.is_missing or node.type in _NOTHING or node.start_byte == node.end_byte
    if is_empty:
        return None
    return node.type if not node.is_named and node.type in _RESERVED else ""


def _step(blocks: list[_Block], word: str, node: SyntaxNode) -> str | None:
    """What is wrong with the word behind those before it; else it is taken in."""
    top = blocks[-1] if blocks else None
    if word in _OPENS or not word:
        if top is not None:
            top.empty = False
        if word == "{" and top is not None and top.word == "for" and _is_body(node):
            blocks.pop()  # `for ((…)) { …; }`
        if word:
            line = node.start_point[0] + 1
            blocks.append(_Block(word, node.start_byte, line, _FIRST.get(_OPENS[word])))
        return None
    if top is None:
        return f"`{word}` stands where no block is open"
    wrong = _wrong_within(top, word)
    top.empty = True
    if word in _FIRST.values():
        top.wants = None
    elif word == "elif":
        top.wants = "then"
    elif word == top.end:
        blocks.pop()
    return wrong


def _is_body(node: SyntaxNode) -> bool:
    around = node.parent and node.parent.parent
    return around is not None and around.type == "c_style_for_statement"


def _wrong_within(top: _Block, word: str) -> str | None:
    if top.end != _MIDDLES.get(word, word):
        return f"`{word}` stands where {top} wants its `{top.end}`"
    if word in _FIRST.values():
        if top.wants != word:
            return f"a further `{word}` for {top}"
    elif top.wants is not None:
        return f"`{word}` stands where {top} wants its `{top.wants}`"
    if top.empty and top.word != "case":
        return f"`{word}` stands where {top} has no command yet"
    return None
