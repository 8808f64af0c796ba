"""The tables as one file for `nft -f`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from iptlint.convert.rendering import NewChain, NewTable, Part, Rendering, State, Words
from iptlint.dialects.nft.writing.values import NoFormError, quoted
from iptlint.model import Chain, Hook

_MOST_OF_A_COMMENT = 127
"""Bytes that the kernel keeps of a rule's comment (NFTNL_UDATA_COMMENT_MAXLEN)."""

_PRIORITIES = {-300: "raw", -150: "mangle", 0: "filter", 50: "security"}
_OF_HOOKS = {(Hook.PREROUTING, -100): "dstnat", (Hook.POSTROUTING, 100): "srcnat"}
"""Names that nft knows, the last two at these hooks only."""


@dataclass(frozen=True, slots=True)
class Style:
    """``counters``: every rule counts, as those of iptables do; else those whose counts the text
    has."""

    counters: bool = False


def text_of(tables: Sequence[NewTable], heading: Iterable[str], style: Style) -> str:
    """One command after another: each table is emptied and filled again, so that the file can be
    loaded twice, and what others made stays."""
    lines = ["#!/usr/sbin/nft -f", *(f"# {line}".rstrip() for line in heading)]
    for table in tables:
        name = f"table {table.family} {table.name}"
        lines += ["", name, f"delete {name}", f"{name} {{", *_body(table, style), "}"]
    return "\n".join(lines) + "\n"


def _body(table: NewTable, style: Style) -> Iterator[str]:
    blocks = [
        *(_block(f"{kind} {name}", body) for (kind, name), body in table.declared.items()),
        *(_chain(chain, style) for chain in table.chains),
    ]
    for number, block in enumerate(blocks):
        if number:
            yield ""
        yield from block


def _block(head: str, body: Iterable[str]) -> Iterator[str]:
    yield f"\t{head} {{"
    yield from (f"\t\t{line}" for line in body)
    yield "\t}"


def _chain(chain: NewChain, style: Style) -> Iterator[str]:
    if chain.again:
        yield "\t# which helper a connection has, said where there is a connection"
    elif chain.renamed:
        yield f"\t# {_plain(chain.renamed)} in iptables, which is no name to nft"
    for number, part in enumerate(chain.parts):
        if number:
            yield ""
        head = [] if number else [*_head(chain.base)]
        yield from _block(f"chain {part.name}", (*head, *_rules(part, style)))


def _head(base: Chain) -> Iterator[str]:
    if base.hook is not None:
        policy = "drop" if base.policy and base.policy.kind.denies else "accept"
        where = f"type {base.type} hook {base.hook.value} priority {_priority(base)}"
        yield f"{where}; policy {policy};"


def _rules(part: Part, style: Style) -> Iterator[str]:
    for entry in part.entries:
        yield from remarks(entry)
        yield from (with_rest(line, entry, style) for line in entry.lines)
    if part.rest:
        yield f"goto {part.rest}"


def _priority(chain: Chain) -> str:
    number = chain.priority or 0
    named = _OF_HOOKS.get((chain.hook, number)) if chain.hook else None
    return named or _PRIORITIES.get(number) or str(number)


# -- rules --------------------------------------------------------------------------------------


def remarks(entry: Rendering) -> Iterator[str]:
    """What the rule itself cannot say."""
    if entry.reason and entry.state is not State.PROVED:
        for rule in entry.rules:
            span = rule.statement.span
            where = f"{span.source.path}:{span.line}"
            yield f"# {entry.state.value}: {_plain(where)}: {_plain(span.text)}"
        yield f"#   {_plain(entry.reason)}"
    elif entry.elsewhere:
        yield from (
            f"# in {entry.elsewhere}: {_plain(rule.statement.span.text)}" for rule in entry.rules
        )
    elif not entry.lines:
        yield from (f"# never matches: {_plain(rule.statement.span.text)}" for rule in entry.rules)
    if entry.comment and _comment(entry.comment) is None and entry.lines:
        yield f"# {_plain(entry.comment)}"


def with_rest(words: Words, entry: Rendering, style: Style) -> str:
    """The counter stands before what is done, as `iptables-nft` puts it."""
    *tests, action = words
    counter = _counter(entry, style)
    counted = counter if counter and action != "counter" else ""
    if action == "counter" and counter:
        action = counter
    comment = _comment(entry.comment) if entry.comment else None
    return " ".join(filter(None, (*tests, counted, action, comment)))


def _counter(entry: Rendering, style: Style) -> str:
    counters = entry.counters
    if counters is not None:
        return f"counter packets {counters[0]} bytes {counters[1]}"
    return "counter" if style.counters else ""


def _comment(text: str) -> str | None:
    """None where nft takes no such comment."""
    if len(text.encode(errors="surrogateescape")) > _MOST_OF_A_COMMENT:
        return None
    try:
        return f"comment {quoted(text, 'a comment')}"
    except NoFormError:
        return None


def _plain(text: str) -> str:
    """On one line: what follows a line's end would be a command of the file."""
    return "".join(letter if letter.isprintable() else "?" for letter in " ".join(text.split()))
