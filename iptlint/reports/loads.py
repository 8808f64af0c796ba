"""What ``loads`` answers, for people and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from iptlint.loads.refusal import Load, Refusal
from iptlint.model.quotes import shortened
from iptlint.reports.json_report import VERSION, dumps, place_of
from iptlint.reports.safe import visible, wrapped
from iptlint.reports.text import COLUMNS, excerpt, note


def loads_text(loads: Sequence[Load]) -> str:
    """A block for each file; of one that is refused, the first refusal and what it hides."""
    return "\n\n".join("\n".join(_block(load)) for load in loads) + "\n"


def _block(load: Load) -> Iterator[str]:
    path = visible(load.source.path)
    if load.taken:
        yield f"{path}: {load.tool} takes it"
    else:
        yield from _refused(load, load.refusals[0])
    for change in load.changes:
        yield from wrapped(f"{_where(change)}: {load.tool} changes it: {_cause(change)}", COLUMNS)
        yield from excerpt(change.span, "-")


def _cause(refusal: Refusal) -> str:
    return shortened(refusal.cause)


def _where(refusal: Refusal) -> str:
    return f"{refusal.span.source.path}:{refusal.span.line}:{refusal.span.column}"


def _refused(load: Load, first: Refusal) -> Iterator[str]:
    tool = _tool(load, first)
    yield from wrapped(f"{_where(first)}: {tool} refuses it: {_cause(first)}", COLUMNS, " " * 6)
    yield from excerpt(first.span, "^")
    yield from note(f"it says: {first.check.says}")
    if first.mend:
        yield from note(f"help: {first.mend}")
    if first.missing:
        yield from note("a host that has it by then takes it")
    yield from note(_left(load))
    if len(load.refusals) > 1:
        yield from note(f"hidden until that is mended: {_hidden(load)}")


def _tool(load: Load, refusal: Refusal) -> str:
    """With the variant that refuses it, where the other one does not."""
    name, dash, rest = load.tool.partition("-")
    return f"{name}-{refusal.variant}{dash}{rest}" if refusal.variant else load.tool


def _left(load: Load) -> str:
    """What the host is left with."""
    if load.atomic:
        return "nothing of the file is carried out: the host keeps the rules that it has"
    if not load.carried:
        return "nothing of the file was carried out before"
    return f"carried out before: {', '.join(carried.name for carried in load.carried)}"


def _hidden(load: Load) -> str:
    hidden = load.refusals[1:]
    shown = "; ".join(f"line {each.span.line}: {_cause(each)}" for each in hidden[:_SHOWN])
    return shown + (f"; and {len(hidden) - _SHOWN} more" if len(hidden) > _SHOWN else "")


_SHOWN = 5


def loads_json(loads: Sequence[Load]) -> str:
    return dumps({"version": VERSION, "files": [_file(load) for load in loads]})


def _file(load: Load) -> dict[str, object]:
    return {
        "path": load.source.path,
        "tool": load.tool,
        "loads": load.taken,
        "refusals": [_refusal(each, hidden=bool(n)) for n, each in enumerate(load.refusals)],
        "changes": [_refusal(each, hidden=False) for each in load.changes],
        "carried_out": [{**place_of(c.span), "name": c.name} for c in load.carried],
    }


def _refusal(refusal: Refusal, *, hidden: bool) -> dict[str, object]:
    return {
        **place_of(refusal.span),
        "check": refusal.check.name,
        "stage": refusal.check.stage.value,
        "cause": _cause(refusal),
        "help": refusal.mend or None,
        "tool_says": refusal.check.says,
        "decided_by": refusal.check.decided,
        "missing": refusal.missing,
        "variant": refusal.variant or None,
        "hidden": hidden,
    }
