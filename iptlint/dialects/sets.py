"""The files of one run together: the sets that some of them hold are what the rules of the
others test."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from iptlint.dialects.decode import MAX_BYTES
from iptlint.dialects.detect import IPSET_SAVE
from iptlint.dialects.diagnostics import Diagnostic
from iptlint.dialects.iptables.syntax import IPTABLES
from iptlint.dialects.reading import Reading
from iptlint.model import Ruleset
from iptlint.source import SourceFile

if TYPE_CHECKING:
    from iptlint.model.sets import SavedSets


def read_sets(source: SourceFile) -> Reading:
    """The reading of a text that is said to be what `ipset save` prints."""
    from iptlint.dialects.ipset.parser import parse

    ruleset = Ruleset(source, IPSET_SAVE, IPTABLES, ())
    if len(source.text) > MAX_BYTES:
        return Reading(ruleset, (_at_top(source, "IPT010", *_TOO_LONG),))
    tree = parse(source)
    if (tree.diagnostics and not tree.lines) or _RULES.search(source.text):
        # Of a file that is something else, no line is worth a word. `-A INPUT …` is one of
        # ipset's too, by an old name of `add`.
        return Reading(ruleset, (_at_top(source, "IPT001", *_NO_SETS),))
    return Reading(ruleset, ipset=tree)


_RULES = re.compile(r"^\*[a-z]+[ \t\r]*$", re.MULTILINE)
_TOO_LONG = (
    f"this file is longer than {MAX_BYTES >> 20} MiB; none of its sets was read",
    "save the sets one by one: `ipset save NAME`",
)
_NO_SETS = (
    "this file holds no sets: it is not what `ipset save` prints",
    "as root, `ipset save` prints the sets of this host",
)


def _at_top(source: SourceFile, code: str, message: str, help: str) -> Diagnostic:
    severity = "error" if code == "IPT001" else "warning"
    return Diagnostic(code, severity, 0, source.line_span(1).end, message, help, source)


def together(readings: Sequence[Reading]) -> tuple[list[Reading], SavedSets | None]:
    """The readings, with every test of a set in terms of what is in it, and the sets; None where
    no file holds any."""
    if any(reading.ruleset.cloud is not None for reading in readings):
        from iptlint.dialects.clouds import together as of_one_cloud

        readings = of_one_cloud(readings)
    files = [reading.ipset for reading in readings if reading.ipset is not None]
    if not files:
        return [*readings], None
    from iptlint.dialects.ipset.inline_sets import with_changes, with_sets
    from iptlint.dialects.ipset.lower import lower

    saved, diagnostics = lower(files)
    sets = with_changes(saved, (reading.ruleset for reading in readings))
    combined = [
        replace(
            reading,
            ruleset=with_sets(reading.ruleset, sets),
            diagnostics=(*reading.diagnostics, *_diagnostics_of(reading, diagnostics)),
        )
        for reading in readings
    ]
    return combined, sets


def _diagnostics_of(reading: Reading, diagnostics: Sequence[Diagnostic]) -> tuple[Diagnostic, ...]:
    return tuple(p for p in diagnostics if p.source is reading.ruleset.source)


def only_sets(readings: Sequence[Reading]) -> Diagnostic | None:
    """What to say where there are sets and no rules that test them."""
    if not readings or any(reading.ipset is None for reading in readings):
        return None
    message = "there are only sets in what was given, so no rule was checked"
    advice = "name the rules that use them too: `iptlint rules.v4 ipsets`"
    return _at_top(readings[0].ruleset.source, "IPT008", message, advice)
