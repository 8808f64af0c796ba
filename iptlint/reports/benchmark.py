"""The items of the benchmarks as a table for people, and as JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import PurePath

from iptlint.benchmark.answers import Verdict
from iptlint.benchmark.table import BENCHMARKS, Benchmark, Id, Judged, in_order
from iptlint.reports.safe import visible

_ID = 8
_WIDEST = (46, 11, 46, 20)
"""Of the columns after the ids, in characters."""

_NO_TOOL = "the files are of no tool that the benchmarks have items for"

PaintVerdict = Callable[[Verdict, str], str]


def _plain(verdict: Verdict, text: str) -> str:
    return text


def table(items: Sequence[Judged], paint: PaintVerdict = _plain) -> str:
    """The items with their ids, and one line that counts them; of several hosts for each."""
    # Its import takes as long as a small file does, and few ask for a table.
    from tabulate import tabulate

    if not items:
        return f"{_NO_TOOL}\n"
    hosts = dict.fromkeys(each.host for each in items)
    if len(hosts) > 1:
        parts = ([replace(i, host="") for i in items if i.host == host] for host in hosts)
        named = zip(hosts, parts, strict=True)
        return "\n".join(f"{visible(host)}: {table(part, paint)}" for host, part in named)
    shown = _shown(items)
    headers = (*(b.short for b in shown), "item", "verdict", "why", "where")
    rows = [_row(each, shown, paint) for each in items]
    widths = (*(None for _ in shown), *_WIDEST)
    drawn = tabulate(
        rows, headers, "simple", disable_numparse=True, maxcolwidths=widths, maxheadercolwidths=_ID
    )
    names = ", ".join(f"{benchmark.name} {benchmark.version}" for benchmark in shown)
    marked = "; (m): left to people by the benchmark" if any(i.item.manual for i in items) else ""
    return f"{names}{marked}\n\n{drawn}\n\n{_counts(items)}\n"


def _shown(items: Sequence[Judged]) -> tuple[Benchmark, ...]:
    """The benchmarks that have an id for some item."""
    named = [asked.benchmark for each in items for asked in each.ids]
    return tuple(benchmark for benchmark in BENCHMARKS if benchmark in named)


def _row(each: Judged, shown: Sequence[Benchmark], paint: PaintVerdict) -> tuple[str, ...]:
    ids, answer = dict(each.ids), each.answer
    title = each.item.title + " (m)" * each.item.manual
    return (
        *(ids.get(benchmark, "") for benchmark in shown),
        title,
        paint(answer.verdict, answer.verdict.value),
        visible(answer.reason),
        _where(each),
    )


def _where(each: Judged) -> str:
    span = each.answer.span
    return visible(f"{PurePath(span.source.path).name}:{span.line}") if span else ""


def _counts(items: Sequence[Judged]) -> str:
    counted = Counter(each.answer.verdict for each in items)
    order = (Verdict.PASS, Verdict.FAIL, Verdict.CANNOT_TELL)
    each = ", ".join(f"{counted[verdict]} {verdict.value}" for verdict in order if counted[verdict])
    return f"{len(items)} items: {each}"


def listed(references: Iterable[str]) -> str:
    """``CIS RHEL 9 2.0.0 4.3.3, 4.3.4``: the ids of a benchmark together."""
    by_benchmark: dict[str, list[str]] = {}
    for reference in references:
        benchmark, _, number = reference.rpartition(" ")
        by_benchmark.setdefault(benchmark, []).append(number)
    each = (f"{benchmark} {', '.join(numbers)}" for benchmark, numbers in by_benchmark.items())
    return "; ".join(each)


def asked_by(items: Sequence[Judged], code: str) -> list[str]:
    """The ids, of the items shown, that ask for what the lint rule reports."""
    asked = (each for item in items if code in item.item.rules for each in item.ids)
    ids = dict.fromkeys(asked)  # of several hosts each once
    return [*map(str, in_order(ids))]


def as_json(items: Sequence[Judged]) -> dict[str, object]:
    counted = Counter(each.answer.verdict for each in items)
    return {
        "items": [_json(each) for each in items],
        "summary": {_word(verdict): counted[verdict] for verdict in Verdict},
    }


def _json(each: Judged) -> dict[str, object]:
    span = each.answer.span
    return {
        **({"host": each.host} if each.host else {}),
        "ids": [*map(_id, each.ids)],
        "title": each.item.title,
        "tool": each.tool.value,
        "assessment": "manual" if each.item.manual else "automated",
        "verdict": _word(each.answer.verdict),
        "reason": each.answer.reason or None,
        "path": span.source.path if span else None,
        "line": span.line if span else None,
        "rules": list(each.item.rules),
    }


def _id(asked: Id) -> dict[str, str]:
    benchmark, number = asked
    return {"benchmark": benchmark.name, "version": benchmark.version, "id": number}


def _word(verdict: Verdict) -> str:
    return verdict.value.replace(" ", "_")
