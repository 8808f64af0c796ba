"""What a document makes: tables, their chains, sets and defines."""

from __future__ import annotations

from collections.abc import Iterator

from lsprotocol import types as lsp

from iptlint.editor.desk import Seen
from iptlint.model import Chain, Table
from iptlint.model.ruleset import Named
from iptlint.reports.safe import visible
from iptlint.source import Span


def symbols(seen: Seen) -> list[lsp.DocumentSymbol]:
    """In the order of the text; what other files make is left out."""
    ruleset = seen.ruleset
    symbols = [*(_named(seen, each) for each in ruleset.defines)]
    symbols += (_table(seen, table) for table in ruleset.tables)
    return _in_order(symbols)


def _in_order(found: list[lsp.DocumentSymbol | None]) -> list[lsp.DocumentSymbol]:
    kept = [each for each in found if each is not None]
    return sorted(kept, key=lambda each: (each.range.start.line, each.range.start.character))


def _table(seen: Seen, table: Table) -> lsp.DocumentSymbol | None:
    inside: list[lsp.DocumentSymbol | None] = [_named(seen, each) for each in table.sets]
    inside += (_chain(seen, chain) for chain in table.chains.values())
    children = _in_order(inside)
    spans = [table.origin.span] if table.origin is not None else []
    spans += (rule.statement.span for _, rule in table.rules())
    own = [span for span in spans if seen.is_here(span)]
    if not own and not children:
        return None
    selection = seen.lines.of(own[0]) if own else children[0].selection_range
    ranges = [seen.lines.of(span) for span in own] + [each.range for each in children]
    name = f"{table.family.value} {table.name}"
    return _symbol(name, lsp.SymbolKind.Namespace, _around(ranges), selection, children=children)


def _around(ranges: list[lsp.Range]) -> lsp.Range:
    start = min((each.start for each in ranges), key=_order)
    return lsp.Range(start, max((each.end for each in ranges), key=_order))


def _order(position: lsp.Position) -> tuple[int, int]:
    return position.line, position.character


def _chain(seen: Seen, chain: Chain) -> lsp.DocumentSymbol | None:
    spans = [*_spans(seen, chain)]
    if not spans:
        return None
    ranges = [seen.lines.of(span) for span in spans]
    rules = f"{len(chain.rules)} rule{'' if len(chain.rules) == 1 else 's'}"
    policy = f", policy {chain.policy.kind.value}" if chain.policy is not None else ""
    hook = f"{chain.hook.value}, " if chain.hook is not None else ""
    return _symbol(
        chain.name,
        lsp.SymbolKind.Function,
        # Rules of iptables stand where they like; others' may stand between those of one chain.
        ranges[0],
        ranges[0],
        f"{hook}{rules}{policy}",
    )


def _spans(seen: Seen, chain: Chain) -> Iterator[Span]:
    origins = (chain.origin, *(rule.statement for rule in chain.rules[:1]))
    yield from (o.span for o in origins if o is not None and seen.is_here(o.span))


def _named(seen: Seen, named: Named) -> lsp.DocumentSymbol | None:
    span = named.origin.span
    if not seen.is_here(span):
        return None
    place = seen.lines.of(span)
    elements = "" if named.elements is None else f"{named.elements} elements"
    kind = lsp.SymbolKind.Constant if named.kind == "define" else lsp.SymbolKind.Array
    return _symbol(named.name, kind, place, place, elements)


def _symbol(
    name: str,
    kind: lsp.SymbolKind,
    place: lsp.Range,
    selection: lsp.Range,
    detail: str = "",
    children: list[lsp.DocumentSymbol] | None = None,
) -> lsp.DocumentSymbol:
    # A client refuses a name that is empty.
    return lsp.DocumentSymbol(
        visible(name) or '""', kind, place, selection, visible(detail) or None, children=children
    )
