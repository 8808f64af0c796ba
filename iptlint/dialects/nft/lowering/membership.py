"""Whether a packet's values are in a set: the tests that say so."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from copy import copy
from dataclasses import replace

from iptlint.dialects.nft import tree as t
from iptlint.dialects.nft.lowering import set_contents as c
from iptlint.dialects.nft.lowering.dependencies import Context
from iptlint.dialects.nft.lowering.header_match_builders import FieldTarget
from iptlint.dialects.nft.lowering.known_protocols import protocols_of, restrict_protocols
from iptlint.dialects.nft.lowering.match_builders import (
    ALWAYS,
    Alternatives,
    all_of,
    any_of,
    negate,
)
from iptlint.dialects.nft.lowering.rule_lowering import RuleLowering
from iptlint.dialects.nft.lowering.selector import LoweredSelector, lower_key, spelled
from iptlint.dialects.nft.lowering.values import Values
from iptlint.dialects.nft.tables import OpenSet, OpenTable
from iptlint.dialects.uninterpreted import uninterpreted
from iptlint.model import Field, Match, Opaque, Uncertain
from iptlint.model.matches import SetLookup
from iptlint.model.near_words import nearest
from iptlint.model.protocols import PORT_PROTOCOLS
from iptlint.source import SourceFile


def negated(selectors: Iterable[LoweredSelector], alternatives: Alternatives) -> tuple[Match, ...]:
    needs = [match for each in selectors for match in (*each.needs, *each.present)]
    return (*needs, negate(any_of(alternatives)))


def in_named(
    left: t.Expression, operator: str | None, right: t.SetReference, lowering: RuleLowering
) -> tuple[Match, ...]:
    """For ``@name``; one test kept as it is where the text does not say what is in the set."""
    selectors = lower_key(left, lowering.context)
    needs = tuple(match for each in selectors for match in each.needs)
    tested_set = open_set(right, lowering)
    if tested_set is None:
        return (*needs, Uncertain("unread", f"{spelled(left)} @{right.name.text}"))
    contents = contents_of(tested_set, selectors, lowering)
    if contents is not None:
        return member(left, selectors, operator, contents, lowering)
    alternatives: Alternatives = ((_unknown(tested_set, left, lowering),),)
    if operator == "!=":
        return negated(selectors, alternatives)
    return (*needs, *all_of(alternatives))


def in_literal(
    left: t.Expression, operator: str | None, right: t.SetLiteral, lowering: RuleLowering
) -> tuple[Match, ...]:
    """For ``{ … }``."""
    selectors = lower_key(left, lowering.context)
    contents = c.literal(right.elements, [each.type for each in selectors])
    report(contents, lowering, lowering.source)
    return member(left, selectors, operator, contents, lowering)


def _unknown(tested_set: OpenSet, left: t.Node, lowering: RuleLowering) -> Opaque:
    name = global_name(lowering.table, tested_set.name)
    return uninterpreted(f"set {name} {spelled(left)}", asks=SetLookup(name))


def global_name(table: OpenTable, name: str) -> str:
    """A set's name that no set of another table has."""
    return f"@{table.family.value} {table.name} {name}"


def open_set(reference: t.SetReference, lowering: RuleLowering) -> OpenSet | None:
    """The set or map a name stands for; a diagnostic where there is none."""
    named_set = lowering.table.sets.get(reference.name.text)
    if named_set is None and not lowering.missing and _is_of_the_text(lowering.table):
        _no_set(reference, lowering)
    return named_set


def _is_of_the_text(table: OpenTable) -> bool:
    """Whether the text makes the table, and does not only add to one that the host has."""
    return table.fresh or bool(table.sets) or any(chain.declared for chain in table.chains.values())


def _no_set(reference: t.SetReference, lowering: RuleLowering) -> None:
    """A table that was not emptied before may have more than the text says."""
    table, name = lowering.table, reference.name.text
    where = f"table {table.family.value} {table.name}"
    near = nearest(name, table.sets)
    declare = f"declare it before this line: `add set {table.family.value} {table.name} …`"
    lowering.refuse(
        "IPT003",
        reference,
        f"there is no set @{name} in {where}",
        f"did you mean @{near}? Else {declare}" if near else declare,
        severity="error" if table.fresh else "warning",
    )


def contents_of(
    tested_set: OpenSet, selectors: tuple[LoweredSelector, ...], lowering: RuleLowering
) -> c.Contents | None:
    """None where the text does not say what is in it."""
    if not c.is_known(tested_set):
        return None
    like = tuple(each.type for each in selectors)
    types = c.types_of(tested_set, like)
    contents = c.named(tested_set, types)
    report(contents, lowering, tested_set.origin.source)
    if [kind.width for kind in types] == [kind.width for kind in like]:
        return contents
    unread = tuple(Values(unread=(f"@{tested_set.name}",)) for _ in like)
    return c.Contents(tuple(replace(entry, rows=(unread,)) for entry in contents.entries))


def report(contents: c.Contents, lowering: RuleLowering, source: SourceFile) -> None:
    for error in contents.bad:
        assert error.node is not None
        lowering.refuse("IPT006", error.node, error.message, error.help, source)


def member(
    left: t.Expression,
    selectors: tuple[LoweredSelector, ...],
    operator: str | None,
    contents: c.Contents,
    lowering: RuleLowering,
) -> tuple[Match, ...]:
    alternatives = alternatives_of(left, selectors, contents.entries, lowering.context)
    if operator == "!=":
        return negated(selectors, alternatives)
    if len(selectors) == len(contents.entries) == 1 and not contents.entries[0].everything:
        for (values,) in contents.entries[0].rows:
            restrict_protocols(selectors[0], values, lowering.context)
    needs = (match for each in selectors for match in each.needs)
    return (*needs, *all_of(alternatives))


def alternatives_of(
    left: t.Expression,
    selectors: tuple[LoweredSelector, ...],
    entries: Iterable[c.Entry],
    context: Context,
) -> Alternatives:
    entries = tuple(entries)
    if any(entry.everything and not entry.fleeting for entry in entries):
        return (tuple(match for each in selectors for match in each.present),)
    selectors = _with_ports(left, selectors, entries, context)
    alternatives = [each for entry in entries for each in _alternatives(selectors, entry)]
    return ALWAYS if () in alternatives else tuple(alternatives)


def _alternatives(
    selectors: tuple[LoweredSelector, ...], entry: c.Entry
) -> Iterator[tuple[Match, ...]]:
    """A packet finds the entry by any of them; what is fleeting may be gone."""
    gone: tuple[Match, ...] = (Uncertain("set", "timeout"),) if entry.fleeting else ()
    if entry.everything:
        yield gone
    for row in entry.rows:
        parts = [
            each.view.alternatives(values) for each, values in zip(selectors, row, strict=True)
        ]
        if len(parts) == 1:
            yield from ((*each, *gone) for each in parts[0])
        elif all(parts):
            yield (*(match for part in parts for match in all_of(part)), *gone)


def _with_ports(
    left: t.Expression,
    selectors: tuple[LoweredSelector, ...],
    entries: tuple[c.Entry, ...],
    context: Context,
) -> tuple[LoweredSelector, ...]:
    """``meta l4proto . th dport``: all elements are of protocols with ports."""
    for index, each in enumerate(selectors):
        match each.row.target:
            case FieldTarget(Field.PROTO) if len(selectors) > 1 and each.view.bits is None:
                rows = [row[index] for entry in entries for row in entry.rows]
                protocols = frozenset(number for values in rows for number in protocols_of(values))
                known = all(values.numbers_only and values.ranges for values in rows)
                if known and protocols and protocols <= frozenset(PORT_PROTOCOLS):
                    inner = copy(context)
                    inner.restrict(protocols)
                    return lower_key(left, inner)
    return selectors
