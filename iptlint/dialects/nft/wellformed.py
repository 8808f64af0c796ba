"""Whether a tree is one: JSON may put anything at any place, which no grammar has looked at.

What a node's fields may hold is what their annotations say. A rule that holds anything else is
put aside as one that could not be read, so that nothing is claimed as if it were not there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import fields, replace
from functools import cache
from typing import Any

from iptlint.dialects.diagnostics import SyntaxDiagnostic
from iptlint.dialects.nft import tree as t
from iptlint.dialects.nft.nodes import Node
from iptlint.dialects.thresholds import BYTES, SECONDS
from iptlint.model import Family
from iptlint.source import SourceFile

Test = Callable[[Any], bool]

_SCALARS: dict[str, Test] = {
    "str": lambda value: isinstance(value, str),
    "int": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "bool": lambda value: isinstance(value, bool),
    "None": lambda value: value is None,
}
_WORDS: dict[tuple[type, str], frozenset[str]] = {
    (t.Reject, "protocol"): frozenset({"icmp", "icmpv6", "icmpx", "tcp"}),
    (t.Limit, "per"): frozenset(SECONDS),
    (t.Limit, "unit"): frozenset({"packets", *BYTES}),
    (t.Limit, "burst_unit"): frozenset({"packets", *BYTES}),
    (t.Quota, "unit"): frozenset(BYTES),
    (t.Quota, "used_unit"): frozenset(BYTES),
    (t.Match, "operator"): frozenset({"==", "!=", "<", ">", "<=", ">=", "!"}),
    (t.Nat, "family"): frozenset({"ip", "ip6"}),
    (t.Tproxy, "family"): frozenset({"ip", "ip6"}),
    (t.Fwd, "family"): frozenset({"ip", "ip6"}),
    (t.Ct, "family"): frozenset({"ip", "ip6"}),
    (t.Ct, "direction"): frozenset({"original", "reply"}),
    (t.Routing, "family"): frozenset({"ip", "ip6"}),
    (t.Ipsec, "family"): frozenset({"ip", "ip6"}),
    (t.Ipsec, "direction"): frozenset({"in", "out"}),
    (t.Numgen, "mode"): frozenset({"inc", "random"}),
    (t.RawPayload, "base"): frozenset({"ll", "nh", "th", "ih"}),
    (t.SetUpdate, "operation"): frozenset({"add", "update", "delete"}),
}
"""The texts that a field may hold, where the grammar takes no others."""
_FAMILIES = frozenset(family.value for family in Family)
_MAX_DEPTH = 200


def wellformed(file: t.NftFile) -> t.NftFile:
    """The same file, with diagnostics in the place of what is no node of the language."""
    diagnostics: list[SyntaxDiagnostic] = []
    items = tuple(_kept(file.items, file.source, diagnostics))
    return t.NftFile(file.source, items, (*file.diagnostics, *diagnostics)) if diagnostics else file


def _kept(
    items: Sequence[t.Item], source: SourceFile, diagnostics: list[SyntaxDiagnostic]
) -> Iterator[t.Item]:
    for item in items:
        if isinstance(item, t.Command) and item.body is not None:
            item = replace(item, body=tuple(_kept(item.body, source, diagnostics)))
        if _is_well(item) and _is_of_a_family(item):
            yield item
            continue
        end = min(1, len(source.text))
        what = "rule" if isinstance(item, t.Rule) else getattr(item, "kind", "property")
        message = f"The JSON is not understood: a {what} holds what it cannot hold"
        diagnostics.append(SyntaxDiagnostic(source, 0, end, message))
        if isinstance(item, t.Rule):
            yield t.Rule((t.Foreign("unread", "a rule in JSON"),))


def _is_of_a_family(item: t.Item) -> bool:
    match item:
        case t.Command(family=str(family)):
            return family in _FAMILIES
        case _:
            return True


def _is_well(node: Any, depth: int = 0) -> bool:
    """Whether the fields hold what they are for, and theirs."""
    if depth > _MAX_DEPTH or not isinstance(node, Node):
        return False
    kind: Any = type(node)
    for name, test in _tests(kind):
        value = getattr(node, name)
        if not test(value):
            return False
        parts = value if isinstance(value, tuple) else (value,)
        if not all(_is_well(part, depth + 1) for part in parts if isinstance(part, Node)):
            return False
    return True


@cache
def _tests(kind: type) -> tuple[tuple[str, Test], ...]:
    return tuple(
        (field.name, _one_of(_WORDS.get((kind, field.name)), _test(str(field.type))))
        for field in fields(kind)
        if field.name not in ("start", "end")
    )


def _one_of(words: frozenset[str] | None, test: Test) -> Test:
    if words is None:
        return test
    return lambda value: test(value) and (value is None or value in words)


@cache
def _test(annotation: str) -> Test:
    """Of an annotation as it is written: names joined by bars, or a tuple of such."""
    for opening, ending in (("tuple[", ", ...]"), ("Sequence[", "]")):
        if annotation.startswith(opening) and annotation.endswith(ending):
            inner = _test(annotation[len(opening) : -len(ending)])
            return lambda value: _is_sequence(value) and all(map(inner, value))
    if annotation.endswith("] | None"):
        some = _test(annotation.removesuffix(" | None"))
        return lambda value: value is None or some(value)
    tests = tuple(_named(name) for name in annotation.split(" | "))
    return lambda value: any(test(value) for test in tests)


def _is_sequence(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)


def _named(name: str) -> Test:
    kind: Any = getattr(t, name, None)
    return _SCALARS.get(name) or (lambda value: isinstance(value, kind))
