"""What of a script was not understood, summary in one sentence."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum

from iptlint.dialects.diagnostics import Diagnostic
from iptlint.source import Span

_SHOWN = 3
_IN_MANY = 20


class Reason(Enum):
    """The order is that of the sentence. REFUSED: a finding of its own says why."""

    VALUE = "{count} {need} a value known only when the script runs"
    CONDITION = "{count} {is_} carried out only under a condition known then"
    FILE = "{count} {read} a file that is not beside the script"
    LATER = "{count} {is_} run in the background or when the script ends"
    UNREAD = "{count} could not be read"
    REFUSED = ""


@dataclass(frozen=True, slots=True)
class NotUnderstood:
    reason: Reason
    span: Span
    detail: str


def summary(
    notes: Sequence[NotUnderstood], commands: int, absent: Sequence[NotUnderstood]
) -> Diagnostic | None:
    """One diagnostic for all of them, at the first."""
    notes = [note for note in notes if note.reason is not Reason.REFUSED]
    absent = [note for note in absent if "\n" not in note.detail]  # quotes that do not end
    named = [note.detail for note in absent if note.detail != "``"] or ["a file"]
    if not notes and not absent:
        return None
    places = {(note.span.source.path, note.span.start, note.span.end) for note in notes}
    if not absent and len(places) * _IN_MANY < commands and _only_values(notes):
        return None  # hardly anything is less certain
    sentences = [_sentence(reason, notes) for reason in Reason]
    reasons = "; ".join(sentence for sentence in sentences if sentence)
    first = min((*notes, *absent), key=lambda note: note.span.start).span
    message = ""
    if notes:
        verb = "was" if len(places) == 1 else "were"
        message = f"{len(places)} of {commands} commands {verb} not fully understood: {reasons}"
    if absent:
        message += "; and " if message else ""
        message += f"what {_listed(named)} may set is not known "
        message += "(of other files, only rules and variables beside the script are read)"
    advice = (
        "what such a command does is taken as possible, so less is certain; what "
        "`iptables-save` prints after the script ran can be linted for sure"
    )
    return Diagnostic("IPT002", "info", first.start, first.end, message, advice, first.source)


def _only_values(notes: Iterable[NotUnderstood]) -> bool:
    return all(note.reason in (Reason.VALUE, Reason.CONDITION) for note in notes)


def _sentence(reason: Reason, notes: Iterable[NotUnderstood]) -> str:
    own = [note for note in notes if note.reason is reason]
    places = dict.fromkeys((note.span.source.path, note.span.start) for note in own)
    if not places:
        return ""
    one = len(places) == 1
    text = reason.value.format(
        count=len(places),
        need="needs" if one else "need",
        is_="is" if one else "are",
        read="reads" if one else "read",
    )
    firsts: dict[str, int] = {}
    for note in own:
        firsts.setdefault(note.detail, note.span.line)
    return f"{text} ({_listed(f'`{what}` at line {line}' for what, line in firsts.items())})"


def _listed(items: Iterable[str]) -> str:
    unique = list(dict.fromkeys(items))
    more = len(unique) - _SHOWN
    return ", ".join(unique[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
