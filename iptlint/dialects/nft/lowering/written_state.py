"""What the rules of a text change on the way, and tests that are then no longer sure.

What is written and read has its home in ``model/writes.py``; here it is seen in statements.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from iptlint.dialects.nft import tree as t
from iptlint.dialects.nft.nodes import Node
from iptlint.dialects.nft.walking import everything
from iptlint.model import AnyOf, Field, Match, Opaque, Uncertain
from iptlint.model.writes import (
    CONNECTION,
    HEADERS,
    MARK,
    SOCKET,
    TCP_OPTIONS,
    Things,
    lasts,
    reads,
    unsettled_where,
    written_by,
)

_LASTING = frozenset({"has a route"})
"""Keys of tests that nothing a rule writes changes."""


def written(rules: Iterable[t.Rule]) -> Things:
    """What any of the rules changes."""
    names: set[str] = set()
    for rule in rules:
        for statement in rule.statements:
            change = _WRITERS.get(type(statement))
            if change is not None:
                names.update(change(statement))
    return frozenset(names)


def _thing(selector: Node) -> Iterator[str]:
    """What is read or written, as coarsely as two ways to name the same bits ask for."""
    match selector:
        case t.Meta(key):
            yield f"meta {key}"
        case t.Ct(key):
            yield f"ct {key}"
        case t.HeaderOption(protocol) if protocol != "ip":
            yield f"{protocol} options"
        case t.RawOption():
            yield TCP_OPTIONS
        case t.Payload() | t.RawPayload() | t.ExtensionHeader() | t.HeaderOption():
            yield HEADERS
        case t.Socket():
            yield SOCKET
        case t.Fib(flags) if "mark" in flags:
            yield MARK


def _read(node: Node) -> Iterator[str]:
    for each in everything(node):
        yield from _thing(each)
        if isinstance(each, t.Ct):
            yield CONNECTION


def _of_block(block: t.JumpBlock) -> Things:
    return written(item for item in block.items if isinstance(item, t.Rule))


_WRITERS: dict[type, Callable[[Any], Iterable[str]]] = {
    t.Mangle: lambda statement: _thing(statement.target),
    t.Notrack: lambda _: (CONNECTION,),
    t.Tproxy: lambda _: (SOCKET,),
    t.StripOption: lambda statement: _thing(statement.option),
    t.Foreign: lambda statement: written_by(statement.name),
    t.JumpBlock: _of_block,
}


def unsure_of_written(matches: tuple[Match, ...], node: Node, changed: Things) -> tuple[Match, ...]:
    """The tests of a statement, uncertain where they are opaque and of what is changed."""
    if not changed or not any(map(_opaque, matches)) or changed.isdisjoint(_read(node)):
        return matches
    return tuple(map(_uncertain, matches))


def _opaque(match: Match) -> bool:
    if isinstance(match, AnyOf):
        return any(_opaque(test) for tests in match.alternatives for test in tests)
    return isinstance(match, Opaque)


def _uncertain(match: Match) -> Match:
    return unsettled_where(match, lambda test: not (lasts(test) or test.key in _LASTING))


# -- within one rule ------------------------------------------------------------------------


def outlived(match: Match, changed: frozenset[Field]) -> Match:
    """A test that a packet has passed, asked again behind a change of its field."""
    return Uncertain("changed", repr(match)) if reads(match, changed) else match
