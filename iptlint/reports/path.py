"""What ``path`` answers: a row for each layer, for people and as the JSON contract has it."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from tabulate import tabulate

from iptlint.analysis.cloud_layers import Reason
from iptlint.analysis.cloud_path import CloudPath, Passing, PathQuestion, Row
from iptlint.model import Hook
from iptlint.packets.describe import clause
from iptlint.packets.witness import witness
from iptlint.reports.json_report import VERSION, dumps
from iptlint.reports.safe import visible
from iptlint.reports.witness import as_json

if TYPE_CHECKING:
    from iptlint.packets.bdd import PacketSet

_COLUMNS = 44
_MOST = 4
"""Reasons of one layer that are shown; the JSON has them all."""


def path_text(paths: Sequence[CloudPath]) -> str:
    return "\n".join("".join(f"{visible(line)}\n" for line in _lines(path)) for path in paths)


def _lines(path: CloudPath) -> Iterator[str]:
    yield question_text(path.question)
    yield ""
    rows = [(row.layer.kind.value, row.passing.value, why(path, row)) for row in path.rows]
    yield from tabulate(rows, ("layer", "", "why"), "simple", disable_numparse=True).split("\n")
    yield ""
    sentences = (*conclusion(path), *(f"note: {note}" for note in path.notes))
    yield from (line for text in sentences for line in wrapped(text))


def question_text(question: PathQuestion) -> str:
    """``198.51.100.7 to i-0abc, 10.0.1.10, tcp port 443``"""
    clients = question.clients
    who = "the internet" if clients is None else ", ".join(map(_written, clients))
    if question.sender is not None:
        who = f"{question.sender.id} ({who})"
    machine = question.interface.instance or question.interface.id
    what = question.proto or "any protocol"
    if question.dport is not None:
        what += f" port {question.dport}"
    if question.sport is not None:
        what += f" from port {question.sport}"
    return f"from {who} to {machine} at {question.own}: {what}"


def _written(network: object) -> str:
    text = str(network)
    return text.removesuffix("/32").removesuffix("/128")


def why(path: CloudPath, row: Row) -> str:
    """The reasons, as a column of the table."""
    return "\n".join(
        line
        for text, place in reasons(path, row)
        for line in (_filled(text), *((f"  {place}",) if place else ()))
    )


def reasons(path: CloudPath, row: Row) -> Iterator[tuple[str, str]]:
    """Who lets them pass and who does not, with the packets where there is more than one to say,
    each with where it is written."""
    if not row.layer.given:
        yield row.layer.title, ""
        return
    met = [
        (reason, packets)
        for reason in row.layer.reasons
        if (packets := reason.packets & row.arriving).satisfiable()
    ]
    met.sort(key=lambda each: each[0].passes)
    for reason, packets in met[:_MOST]:
        which = f"{reason.verb}: {_clause(path, packets)}: " if len(met) > 1 else ""
        yield f"{which}{reason.text}", _place(reason)
    if len(met) > _MOST:
        yield f"… and {len(met) - _MOST} more", ""


def _place(reason: Reason) -> str:
    span = reason.span
    if span is not None and f":{span.line}" not in reason.text:
        return f"{span.source.path}:{span.line}"
    return ""


def wrapped(text: str) -> list[str]:
    indent = " " * (len(text) - len(text.lstrip()) + 2)
    return textwrap.wrap(
        text, 80, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )


def _filled(text: str) -> str:
    return textwrap.fill(text, _COLUMNS, break_long_words=False, break_on_hyphens=False)


def _clause(path: CloudPath, packets: PacketSet) -> str:
    return "all" if packets == path.asked else clause(path.space, packets, path.asked)


def conclusion(path: CloudPath) -> Iterator[str]:
    missing = [row for row in path.rows if not row.layer.given]
    as_far = ", as far as layers are given" if missing else ""
    if not path.asked.satisfiable():
        yield "no packet opens such a connection"
    elif path.works:
        yield f"gets through, and so do the answers{as_far}"
    elif not path.may.satisfiable():
        yield "does not get through"
    elif not path.sure.satisfiable():
        yield f"may get through{as_far}: {_clause(path, path.may)}"
    else:
        yield f"gets through{as_far}: {_clause(path, path.sure)}"
        left = path.may & ~path.sure
        if left.satisfiable():
            yield f"may get through: {_clause(path, left)}"
    yield from _changes(path)


def _changes(path: CloudPath) -> Iterator[str]:
    """Where the question is about one service: to have all let in is nobody's wish."""
    question = path.question
    if question.dport is None and question.icmp_type is None:
        return
    for row in path.rows:
        if row.held.satisfiable():
            verb = "may hold back" if row.passing is Passing.UNSURE else "holds back"
            yield f"{row.layer.kind.value}: {verb} {_clause(path, row.held)}"
            if row.layer.change:
                yield f"  it would take {row.layer.change}"


# -- JSON -----------------------------------------------------------------------------------------


def path_json(paths: Sequence[CloudPath]) -> str:
    return dumps({"version": VERSION, "paths": [_path(path) for path in paths]})


_ANSWERS = {
    Passing.PASSES: "passes",
    Passing.STOPS: "stops",
    Passing.PARTLY: "partly",
    Passing.UNSURE: "unknown",
    Passing.NOTHING: "not reached",
    Passing.NOT_GIVEN: "not given",
}


def _path(path: CloudPath) -> dict[str, object]:
    question, stopped = path.question, path.stopped_at
    return {
        "family": question.family.value,
        "instance": question.interface.instance,
        "interface": question.interface.id,
        "address": str(question.own),
        "from": None if question.clients is None else [_written(each) for each in question.clients],
        "works": path.works,
        "through": _clause(path, path.sure) if path.sure.satisfiable() else None,
        "may_get_through": _clause(path, path.may) if path.may.satisfiable() else None,
        "witness": _witness(path, path.sure),
        "stopped_at": stopped.layer.kind.name.lower() if stopped is not None else None,
        "layers": [_row(path, row) for row in path.rows],
        "notes": [*path.notes],
    }


def _row(path: CloudPath, row: Row) -> dict[str, object]:
    held = row.held.satisfiable()
    return {
        "layer": row.layer.kind.name.lower(),
        "name": row.layer.title,
        "answer": _ANSWERS[row.passing],
        "holds_back": _clause(path, row.held) if held else None,
        "witness": _witness(path, row.held),
        "change": row.layer.change or None if held else None,
        "reasons": [
            {
                "text": reason.text,
                "passes": reason.passes if reason.sure else None,
                "packets": _clause(path, packets),
                "path": reason.span.source.path if reason.span else None,
                "line": reason.span.line if reason.span else None,
                "column": reason.span.column if reason.span else None,
            }
            for reason in row.layer.reasons
            if (packets := reason.packets & row.arriving).satisfiable()
        ],
    }


def _witness(path: CloudPath, packets: PacketSet) -> dict[str, object] | None:
    """As it comes to the interface of the cloud, which the host calls by a name of its own."""
    packet = witness(path.space, packets & path.space.universe, Hook.INPUT)
    return as_json(replace(packet, iif=None, oif=None) if packet is not None else None)
