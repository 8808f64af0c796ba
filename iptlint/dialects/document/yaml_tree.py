"""YAML to the tree, as far as templates use it; PyYAML composes the nodes and makes no objects.

Short forms of CloudFormation, as ``!Ref X``, become what they stand for: ``{"Ref": "X"}``.
"""

from __future__ import annotations

from typing import Any

from iptlint.dialects.document.json_tree import MOST_DEPTH, JsonError
from iptlint.dialects.document.node import Node
from iptlint.source import SourceFile

MOST_NODES = 1_000_000
"""Aliases may stand for more than any memory holds."""

_WORDS = {"tag:yaml.org,2002:null": None}
_BOOLS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
_PLAIN = ("Ref", "Condition")
"""Short forms without ``Fn::`` before their long one."""


def parse(source: SourceFile) -> Node:
    """The tree; JsonError where the text is none, or nothing is there to read it."""
    try:
        import yaml
    except ImportError:
        text = "YAML is read with PyYAML, which is not installed: pip install 'iptlint[aws]'"
        raise JsonError(0, text) from None
    try:
        composed = yaml.compose(source.text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        start = mark.index if mark is not None else 0
        raise JsonError(start, f"this is no YAML: {error.problem}") from None
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise JsonError(0, f"this is no YAML: {error}") from None
    if composed is None:
        raise JsonError(0, "there is nothing in this YAML")
    return _Tree(source).node(composed, 0)


class _Tree:
    def __init__(self, source: SourceFile) -> None:
        self.source, self.count = source, 0

    def node(self, one: Any, depth: int) -> Node:
        start, end = one.start_mark.index, one.end_mark.index
        self.count += 1
        if depth > MOST_DEPTH or self.count > MOST_NODES:
            raise JsonError(start, "this is nested too deeply, or too much, to be read", "IPT010")
        made = Node(self.source, None, start, end)
        if not one.tag.startswith("!"):
            return self._plain(one, made, depth)
        name = one.tag[1:]
        key = name if name in _PLAIN else f"Fn::{name}"
        return made.made({key: self._plain(one, made, depth)})

    def _plain(self, one: Any, made: Node, depth: int) -> Node:
        match one.id:
            case "mapping":
                pairs = ((key, self.node(value, depth + 1)) for key, value in one.value)
                return made.made({str(key.value): value for key, value in pairs})
            case "sequence":
                return made.made([self.node(each, depth + 1) for each in one.value])
            case _:
                return self._scalar(one, made)

    def _scalar(self, one: Any, made: Node) -> Node:
        if one.tag in _WORDS:
            return made
        if one.tag == "tag:yaml.org,2002:bool":
            return made.made(_BOOLS[one.value.lower()])
        number = one.tag in ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float")
        return Node(self.source, str(one.value), made.start, made.end, number=number)
