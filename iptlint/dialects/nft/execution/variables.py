"""Variables: where a name is known, and what stands in the place of its uses.

As in nft, a use means the definition that is visible where it is written: that of the same
block, else of the table's, else of the file and of what it includes. What a variable stands
for has no variables in it any more.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from iptlint.dialects.nft import tree as t
from iptlint.dialects.nft.execution.relocate import moved
from iptlint.dialects.nft.nodes import Node, Place
from iptlint.dialects.nft.walking import AnyNode, everything, rebuilt
from iptlint.model.near_words import nearest
from iptlint.source import WholeOrigin

Value = t.Expression


@dataclass(slots=True, eq=False)
class Binding:
    """One definition. ``value`` is None where it could not be read.

    ``before`` is the definition that a ``redefine`` takes the place of: giving a default and
    then another value is a use of the default.
    """

    name: str
    origin: WholeOrigin
    value: Value | None
    before: Binding | None = None
    used: bool = False
    size: int = field(init=False)
    """How many nodes the value has."""

    def __post_init__(self) -> None:
        self.size = 0 if self.value is None else sum(1 for _ in everything(self.value))

    def use(self) -> None:
        binding: Binding | None = self
        while binding is not None and not binding.used:
            binding.used = True
            binding = binding.before


@dataclass(slots=True, eq=False)
class VariableScope:
    """The definitions of a block, and the scope around it."""

    around: VariableScope | None = None
    bindings: dict[str, Binding] = field(default_factory=dict)

    def find(self, name: str) -> Binding | None:
        return next((s.bindings[name] for s in self._outward() if name in s.bindings), None)

    def names(self) -> Iterator[str]:
        """Those of the blocks around first hidden by others may come twice."""
        return (name for scope in self._outward() for name in scope.bindings)

    def near(self, name: str) -> str | None:
        """The visible name that is most like one that is not."""
        return nearest(name, self.names())

    def bind(self, binding: Binding) -> None:
        self.bindings[binding.name] = binding

    def unbind(self, name: str) -> None:
        """Only in this block, as in nft: around it the name keeps what it means."""
        self.bindings.pop(name, None)

    def _outward(self) -> Iterator[VariableScope]:
        scope: VariableScope | None = self
        while scope is not None:
            yield scope
            scope = scope.around


@dataclass(frozen=True, slots=True)
class Fit:
    """What a variable has to stand for, right in a part of a node, where not any expression will
    do. ``says``: the tool's words; ``at_value``: which it says of the definition's value, not of
    the use."""

    part: str
    kinds: tuple[type[Node], ...]
    wanted: str
    says: str
    at_value: bool = False


@dataclass(frozen=True, slots=True)
class UnusableVariable:
    """A variable that cannot stand where it does: nobody defined it, or it is a wrong thing."""

    node: Node
    name: str
    binding: Binding | None = None
    fit: Fit | None = None
    too_large: bool = False


Report = Callable[[UnusableVariable], None]
Use = Callable[[Node, Binding], None]

_NO_MAP = "BUG: invalid mapping expression variable"
_FITS: dict[type[Node], Fit] = {
    t.Verdict: Fit("chain", (t.Value,), "the name of a chain", "datatype mismatch", at_value=True),
    t.VerdictMap: Fit("mapping", (t.SetLiteral, t.SetReference), "a map", _NO_MAP),
    t.Lookup: Fit("mapping", (t.SetLiteral, t.SetReference), "a map", _NO_MAP),
    t.SetUpdate: Fit(
        *("target", (t.SetReference,), "a set such as @name", "No symbol type information"),
        at_value=True,
    ),
    t.Log: Fit("prefix", (), "a string in quotes, which may hold the variable", "syntax error"),
    t.Policy: Fit("policy", (t.Value,), "accept or drop", "wrong policy", at_value=True),
    t.Priority: Fit(
        *("base", (t.Value, t.Negative), "a priority", "invalid priority expression"),
    ),
    t.Elements: Fit("elements", (t.SetLiteral,), "elements in braces", "datatype mismatch"),
}

_IN_TEXT = re.compile(r"\$([A-Za-z0-9_]*)")
"""A variable in the text of a log prefix; see ``log_arg`` in nft's grammar."""


MOST_NODES, MOST_IN_ALL = 130_000, 1_000_000
"""In what variables stand for, where one statement uses them and where all do: defines that double
each other would else have no end."""


class Substitution:
    """Puts what variables stand for in the place of their uses, in nodes of one scope.

    ``room``: for how many nodes there is room; less than none where there was not enough.
    ``failed`` afterwards: a use was left as it is, and was reported if it was an error.
    """

    def __init__(self, scope: VariableScope, report: Report, use: Use, room: int) -> None:
        self._scope = scope
        self._report = report
        self._use = use
        self.room = room
        self.failed = False

    def made(self, node: AnyNode) -> AnyNode:
        handler = _SUBSTITUTES.get(type(node))
        if type(node) in _FITS:
            self._check(node)
        return handler(self, node) if handler else rebuilt(node, self.made)

    def _variable(self, node: t.Variable) -> Node:
        return self._value(node, node.name) or node

    def _set(self, node: t.SetLiteral) -> t.SetLiteral:
        """Elements that are made only when they are looked at have no variables."""
        if type(node.elements) is not tuple:
            return node
        if len(node.elements) == 1 and isinstance(node.elements[0], t.Variable):
            only: Node = self.made(node.elements[0])
            if isinstance(only, t.SetLiteral):
                return only
        elements = (part for each in node.elements for part in _flat(self.made(each)))
        return replace(node, elements=tuple(elements))

    def _log(self, node: t.Log) -> t.Log:
        made = rebuilt(node, self.made)
        if isinstance(node.prefix, t.Value) and "$" in node.prefix.text:
            prefix = _IN_TEXT.sub(lambda binding: self._text(node, binding[1]), node.prefix.text)
            return replace(made, prefix=replace(node.prefix, text=prefix))
        return made

    # -- one use ------------------------------------------------------------------------

    def _check(self, node: Node) -> None:
        """Whether the variables right in a node stand for what can be there."""
        fit = _FITS[type(node)]
        part = getattr(node, fit.part)
        binding = self._scope.find(part.name) if isinstance(part, t.Variable) else None
        if binding and binding.value is not None and not isinstance(binding.value, fit.kinds):
            self._fail(UnusableVariable(part, part.name, binding, fit))

    def _value(self, node: Node, name: str) -> Value | None:
        binding = self._scope.find(name)
        if binding is None:
            self._fail(UnusableVariable(node, name))
            return None
        binding.use()
        self._use(node, binding)
        if binding.value is None:
            self.failed = True
            return None
        if binding.size > self.room:
            if self.room >= 0:
                self._fail(UnusableVariable(node, name, too_large=True))
            self.room, self.failed = -1, True
            return None
        self.room -= binding.size
        return moved(binding.value, Place(start=node.start, end=node.end))

    def _text(self, node: t.Log, name: str) -> str:
        assert node.prefix is not None
        match self._value(node.prefix, name):
            case t.Value(text):
                return text
            case _:
                self.failed = True
                return f"${name}"

    def _fail(self, variable: UnusableVariable) -> None:
        self.failed = True
        self._report(variable)


_SUBSTITUTES: dict[type[Node], Callable[[Substitution, Any], Any]] = {
    t.Value: lambda _, value: value,
    t.Variable: Substitution._variable,
    t.SetLiteral: Substitution._set,
    t.Log: Substitution._log,
}
"""For nodes in which it is not enough to go on with what they hold."""


def _flat(element: Any) -> Iterator[t.Expression | t.Element]:
    """A set in a set is its elements, and a key that is a set is as many keys."""
    match element:
        case t.SetLiteral(elements):
            yield from elements
        case t.Element(key=t.SetLiteral(elements)):
            yield from (_with_key(element, each) for each in elements)
        case _:
            yield element


def _with_key(element: t.Element, key: t.Expression | t.Element) -> t.Element:
    """The element for another key, which may bring a timeout or a comment along."""
    match key:
        case t.Element(inner, extras, data):
            return replace(
                element, key=inner, extras=(*extras, *element.extras), data=element.data or data
            )
        case _:
            return replace(element, key=key)
