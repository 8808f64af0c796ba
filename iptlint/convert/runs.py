"""Runs of rules as one rule with a set, a verdict map or a map, as somebody who writes nft would
have it.

Rules that follow each other are one where they differ in one test only, of values that no packet
has two of: then it does not matter which of them comes first, and no packet meets two of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from iptlint.convert.asking import Declarations
from iptlint.convert.keys import Apart, Key, keys
from iptlint.convert.rendering import Rendering, State, Words

_MOST_IN_A_RULE = 8
"""Elements; more are a named set."""
_LEAST_OF_VERDICTS, _LEAST_OF_TARGETS = 3, 2
_PER_LINE = 4

_VERDICT = re.compile(r"accept|drop|return|(jump|goto) [^<]+")
_TO = re.compile(
    r"(?P<does>(?:dnat|snat)(?: ip6?)? to )"
    r"(?:(?P<address>[0-9.]+|\[[0-9a-f:]+\])(?P<port>:[0-9]+)?|(?P<alone>[0-9a-f:]*:[0-9a-f:]*))"
    r"(?P<flags>(?: [a-z,-]+)?)"
)


def merged(entries: Sequence[Rendering], declarations: Declarations, chain: str) -> list[Rendering]:
    """The entries in their order; what became of several of them has these as its ``parts``."""
    as_set = _Way(
        2, lambda one, other: one.rest == other.rest, _Naming(declarations, chain).with_set
    )
    for way in (as_set, _AS_VERDICT_MAP, _AS_MAP):
        entries = [*_joined(entries, way)]
    return [*entries]


@dataclass(frozen=True, slots=True)
class _Row:
    """One rule of a run: the test that differs, and the words without it, the last of which say
    what is done."""

    key: Key
    rest: Words

    @property
    def does(self) -> str:
        return self.rest[-1]


@dataclass(frozen=True, slots=True)
class _Way:
    """``fits``: whether two rules go together, beside their tests; ``words``: those of a run."""

    least: int
    fits: Callable[[_Row, _Row], bool]
    words: Callable[[Sequence[_Row]], Words]


# -- runs -----------------------------------------------------------------------------------------


def _joined(entries: Sequence[Rendering], way: _Way) -> Iterator[Rendering]:
    start = 0
    while start < len(entries):
        run = _longest(entries, start, way) if _may_join(entries[start]) else []
        if len(run) < way.least:
            yield entries[start]
            start += 1
            continue
        lines, strict = (way.words(side) for side in zip(*(rows for _, rows in run), strict=True))
        yield _one_of([entry for entry, _ in run], lines, strict)
        start += len(run)


def _may_join(entry: Rendering) -> bool:
    """A rule that counts, or whose counts the text has, stays one."""
    return (
        entry.state is State.NOT_PROVED
        and len(entry.lines) == len(entry.strict) == 1
        and not entry.counts
        and entry.counters is None
    )


_Run = list[tuple[Rendering, tuple[_Row, _Row]]]
"""Entries, each as its two kinds of lines have it."""


def _longest(entries: Sequence[Rendering], start: int, way: _Way) -> _Run:
    """Of those that begin there, by the test that differs."""
    each = keys(entries[start].lines[0][:-1])
    return max(([*_run(entries, start, k.selector, way)] for k in each), key=len, default=[])


def _run(
    entries: Sequence[Rendering], start: int, selector: str, way: _Way
) -> Iterator[tuple[Rendering, tuple[_Row, _Row]]]:
    """The entries from there on that go together."""
    first = entries[start]
    wanted = _rows(first, selector)
    apart = Apart(selector)
    for entry in entries[start:]:
        rows = _rows(entry, selector) if _may_join(entry) else None
        if rows is None or wanted is None or not _same_place(first, entry):
            return
        elements = rows[0].key.elements
        like = all(_are_like(one, other, way) for one, other in zip(wanted, rows, strict=True))
        if not like or rows[1].key.elements != elements or not apart.add(elements):
            return
        yield entry, rows


def _same_place(one: Rendering, other: Rendering) -> bool:
    return (one.comment, {*one.olds}) == (other.comment, {*other.olds})


def _are_like(one: _Row, other: _Row, way: _Way) -> bool:
    same = one.rest[:-1] == other.rest[:-1] and one.key.place == other.key.place
    return same and way.fits(one, other)


def _rows(entry: Rendering, selector: str) -> tuple[_Row, _Row] | None:
    rows = [_row(side[0], selector) for side in (entry.lines, entry.strict)]
    return (rows[0], rows[1]) if rows[0] is not None and rows[1] is not None else None


def _row(words: Words, selector: str) -> _Row | None:
    for key in keys(words[:-1]):
        if key.selector == selector:
            return _Row(key, (*words[: key.place], *words[key.place + 1 :]))
    return None


def _one_of(run: Sequence[Rendering], lines: Words, strict: Words) -> Rendering:
    families = run[0].olds
    olds = {f: tuple(rule for entry in run for rule in entry.olds[f]) for f in families}
    parts = tuple(part for entry in run for part in (entry.parts or (entry,)))
    return Rendering(olds, (lines,), (strict,), run[0].comment, parts=parts)


# -- sets -----------------------------------------------------------------------------------------


class _Naming:
    """Names long sets by their chain and what they are of."""

    def __init__(self, declarations: Declarations, chain: str) -> None:
        self.declarations = declarations
        self.chain = chain

    def with_set(self, rows: Sequence[_Row]) -> Words:
        key, rest = rows[0].key, rows[0].rest
        elements = [element for row in rows for element in row.key.elements]
        word = f"{key.selector} {{ {', '.join(elements)} }}"
        if len(elements) > _MOST_IN_A_RULE:
            word = f"{key.selector} @{self._declared(rows, elements)}"
        return (*rest[: key.place], word, *rest[key.place :])

    def _declared(self, rows: Sequence[_Row], elements: Sequence[str]) -> str:
        key = rows[0].key
        flags = ("flags interval",) if any(row.key.is_interval for row in rows) else ()
        body = (f"type {key.type}", *flags, *_element_lines(elements))
        wanted = f"{self.chain}_{key.selector.replace(' ', '_')}"
        return self.declarations.declare("set", wanted, (key.selector, *elements), body)


def _element_lines(elements: Sequence[str]) -> Iterator[str]:
    lines = [elements[at : at + _PER_LINE] for at in range(0, len(elements), _PER_LINE)]
    for number, each in enumerate(lines):
        head = "elements = { " if number == 0 else " " * 13
        yield f"{head}{', '.join(each)}{' }' if number == len(lines) - 1 else ','}"


# -- maps -----------------------------------------------------------------------------------------


def _pairs(rows: Sequence[_Row], value: Callable[[_Row], str]) -> str:
    pairs = [f"{element} : {value(row)}" for row in rows for element in row.key.elements]
    return f"{{ {', '.join(pairs)} }}"


def _with_verdicts(rows: Sequence[_Row]) -> Words:
    pairs = _pairs(rows, lambda row: row.does)
    return (*rows[0].rest[:-1], f"{rows[0].key.selector} vmap {pairs}")


def _are_verdicts(one: _Row, other: _Row) -> bool:
    return bool(_VERDICT.fullmatch(one.does) and _VERDICT.fullmatch(other.does))


def _translate_alike(one: _Row, other: _Row) -> bool:
    first, second = _TO.fullmatch(one.does), _TO.fullmatch(other.does)
    if first is None or second is None:
        return False
    return _form(first) == _form(second)


def _form(to: re.Match[str]) -> object:
    return to["does"], to["flags"], to["port"] is None


def _with_targets(rows: Sequence[_Row]) -> Words:
    first = _to(rows[0])
    pairs = _pairs(rows, lambda row: _target(_to(row)))
    return (
        *rows[0].rest[:-1],
        f"{first['does']}{rows[0].key.selector} map {pairs}{first['flags']}",
    )


def _to(row: _Row) -> re.Match[str]:
    to = _TO.fullmatch(row.does)
    assert to is not None
    return to


def _target(to: re.Match[str]) -> str:
    address = (to["address"] or to["alone"]).strip("[]")
    return f"{address} . {to['port'][1:]}" if to["port"] else address


_AS_VERDICT_MAP = _Way(_LEAST_OF_VERDICTS, _are_verdicts, _with_verdicts)
_AS_MAP = _Way(_LEAST_OF_TARGETS, _translate_alike, _with_targets)
