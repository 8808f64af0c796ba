"""What ``trace --log`` answers, for people and as the JSON contract has it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from iptlint.analysis.logged import End, LoggingRule, Written
from iptlint.findings.phrases import counted
from iptlint.model.quotes import one_line
from iptlint.reports.json_report import VERSION, dumps
from iptlint.reports.places import EXPIRED, UNROUTED, in_words, place, verdict
from iptlint.reports.safe import visible
from iptlint.reports.witness import as_json, describe

_MOST_PREFIXES = 20


class Log(NamedTuple):
    """What is known of a log. ``others``: the numbers of the lines that show no packet."""

    path: str
    written: Sequence[Written]
    others: Sequence[int]


class _Told(NamedTuple):
    """Lines of which the same is said."""

    writers: tuple[LoggingRule, ...]
    lines: list[Written]


def log_text(log: Log, *, everything: bool = False) -> str:
    """The lines by who wrote them and what became of the packets; with ``everything`` each."""
    blocks = [*_by_writers(log, everything=everything), *_untold(log), [_summary(log)]]
    return "\n".join("".join(f"{visible(line)}\n" for line in block) for block in blocks)


def _by_writers(log: Log, *, everything: bool) -> Iterator[list[str]]:
    """A block for each rule, or each few of which nobody knows which it was."""
    groups: dict[tuple[LoggingRule, ...], _Told] = {}
    for each in log.written:
        if each.writers:
            groups.setdefault(each.writers, _Told(each.writers, [])).lines.append(each)
    blocks: dict[object, list[_Told]] = {}
    for group in groups.values():
        key = tuple((writer.hook, writer.decision.rule) for writer in group.writers)
        blocks.setdefault(key, []).append(group)
    for several in sorted(blocks.values(), key=lambda block: -_size(block)):
        lines = list(_heading(several[0].writers))
        for group in sorted(several, key=lambda each: -len(each.lines)):
            lines += (f"  {line}" for line in _told(group, everything=everything))
        yield lines


def _size(block: Iterable[_Told]) -> int:
    return sum(len(group.lines) for group in block)


def _heading(writers: Sequence[LoggingRule]) -> Iterator[str]:
    if len(writers) > 1:
        yield f"one of {len(writers)} rules, which no line tells apart:"
    for writer in writers:
        yield f"{in_words(writer.decision)} (at {writer.hook.value})"


def _told(told: _Told, *, everything: bool) -> Iterator[str]:
    yield f"{counted(len(told.lines), 'line')}: {_fate(told.writers)}"
    for each in told.lines if everything else told.lines[:1]:
        yield f"  line {each.line.number}: {_packet(each)}"


def _packet(written: Written) -> str:
    packet = written.line.packet
    return "" if packet is None else describe(packet.as_packet())


def _fate(writers: Sequence[LoggingRule]) -> str:
    ends = dict.fromkeys(end for writer in writers for end in writer.ends)
    return ", or ".join(map(_end, ends)) or "nothing is known of what became of them"


def _end(end: End) -> str:
    if end.kind.denies and end.decision is None:
        return f"{verdict(end.kind)}, as {EXPIRED if end.expired else UNROUTED}"
    return f"{verdict(end.kind)}, by {in_words(end.decision)}"


def _untold(log: Log) -> Iterator[list[str]]:
    """The prefixes that no rule wrote, with the reasons."""
    groups: dict[tuple[str, str], list[Written]] = {}
    for each in log.written:
        if not each.writers:
            groups.setdefault((each.untold, each.prefix), []).append(each)
    largest = sorted(groups.items(), key=lambda item: -len(item[1]))
    by_reason: dict[str, list[str]] = {}
    for (why, prefix), lines in largest[:_MOST_PREFIXES]:
        said = by_reason.setdefault(why, [])
        said.append(f"  {counted(len(lines), 'line')} with the prefix {one_line(repr(prefix))}")
        said.append(f"    line {lines[0].line.number}: {_packet(lines[0]) or 'no packet'}")
    for why, group in by_reason.items():
        yield [f"not told, {why}:", *group]
    if len(largest) > _MOST_PREFIXES:
        yield [f"… and {len(largest) - _MOST_PREFIXES} more prefixes; JSON has all lines"]


def _summary(log: Log) -> str:
    explained = sum(bool(each.writers) for each in log.written)
    unsure = sum(len(each.writers) > 1 for each in log.written)
    parts = [f"{counted(len(log.written), 'packet')} in {log.path}", f"{explained} with the rule"]
    if unsure:
        parts.append(f"{unsure} of them with several that may have written it")
    if log.others:
        parts.append(f"{counted(len(log.others), 'line')} of something else")
    return "; ".join(parts)


def log_json(log: Log) -> str:
    lines = [_line_json(each) for each in log.written]
    answer = {"version": VERSION, "path": log.path, "lines": lines, "others": list(log.others)}
    return dumps(answer)


def _line_json(written: Written) -> dict[str, object]:
    packet = written.line.packet
    return {
        "line": written.line.number,
        "prefix": written.prefix,
        "packet": as_json(None if packet is None else packet.as_packet()),
        "written_by": [_writer_json(writer) for writer in written.writers],
        "untold": written.untold or None,
    }


def _writer_json(writer: LoggingRule) -> dict[str, object]:
    ends = [{"verdict": verdict(e.kind), "decided_by": place(e.decision)} for e in writer.ends]
    return {**(place(writer.decision) or {}), "hook": writer.hook.value, "outcomes": ends}
