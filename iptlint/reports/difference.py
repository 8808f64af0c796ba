"""What ``diff`` answers, for people and as the JSON contract has it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from iptlint.analysis.diff import Difference, compared
from iptlint.analysis.divergence import Divergence, Fate
from iptlint.findings.phrases import counted
from iptlint.model import Hook
from iptlint.packets.describe import Description, describe, share_text
from iptlint.packets.describe.lists import listed
from iptlint.reports.formats import PLAIN
from iptlint.reports.json_report import VERSION, dumps
from iptlint.reports.places import EXPIRED, in_words, place, verdict
from iptlint.reports.safe import wrapped
from iptlint.reports.witness import as_json
from iptlint.reports.witness import describe as describe_packet

_MOST = 5
"""The largest differences; ``--all`` shows the others too."""
_LINES = 6
_BEHIND = " " * 6
"""Before what a line goes on with."""

_ENDINGS = {
    (True, True): "equivalent: every packet fares the same",
    (True, False): "possibly different: only limits, rates and the like tell them apart",
}


def diff_text(
    difference: Difference, *, everything: bool = False, columns: int = PLAIN.columns
) -> str:
    """``everything``: not the largest differences only."""
    shown = difference.changes if everything else difference.changes[:_MOST]
    blocks = [_change_text(difference, change, columns) for change in shown]
    left = len(difference.changes) - len(shown)
    if left:
        blocks.append(f"… and {counted(left, 'smaller difference')}: --all shows all\n")
    assumed = "".join(f"{line}\n" for line in assumptions(difference))
    families = listed(family.value for family in difference.families)
    return "\n".join([*blocks, f"{verdict_on(difference)} (compared: {families})\n{assumed}"])


def assumptions(difference: Difference) -> Iterator[str]:
    shown, left = difference.assumed[:_MOST], len(difference.assumed) - _MOST
    if shown:
        others = listed((*shown, f"{left} more") if left > 0 else shown)
        yield f"taken for addresses of other hosts: {others} (--host-addresses tells)"
    yield from difference.notes


def verdict_on(difference: Difference) -> str:
    """Whether the two are equivalent, in a sentence."""
    if not difference.changes:
        return _ENDINGS[True, difference.certain]
    certain = sum(change.certain for change in difference.changes)
    if not certain:
        return "possibly different: whether packets fare otherwise depends on limits and the like"
    return "different: some packets fare otherwise"


def _change_text(difference: Difference, change: Divergence, columns: int) -> str:
    lines = (
        each
        for line in change_lines(difference, change)
        for each in wrapped(line, columns, _BEHIND)
    )
    return "".join(f"{line}\n" for line in lines)


def change_lines(difference: Difference, change: Divergence) -> Iterator[str]:
    """What becomes of which packets; then, indented, more of them, an example, and who decides."""
    yield _heading(change)
    described = _described(difference, change)
    yield from (f"  {line}" for line in described.lines)
    if described.more:
        yield f"  and more ({share_text(described.left)})"
    yield f"  for example: {describe_packet(change.witness)}"
    for name, old, new in change.contrasts:
        yield f"  {name}: {old} → {new}"
    for name, fate in (("old", change.old), ("new", change.new)):
        yield f"  {name}: {_who(change, fate)}"


def change_line(difference: Difference, change: Divergence) -> str:
    """What becomes of which packets, in one line: the first of them, and whether there are more."""
    described = _described(difference, change)
    first, *others = described.lines or (describe_packet(change.witness),)
    more = ", and more" if described.more or others else ""
    return f"{_heading(change)}: {first}{more}"


def _heading(change: Divergence) -> str:
    perhaps = "" if change.certain else " (perhaps)"
    return f"{change.hook.value}, {change.family.value}: {_what(change)}{perhaps}"


_WENT = {Hook.INPUT: "to this host, ", Hook.FORWARD: "forwarded, "}


def _who(change: Divergence, fate: Fate) -> str:
    went = "" if fate.way is None else _WENT[fate.way]
    return f"{went}{_decider(change, fate)}"


def _decider(change: Divergence, fate: Fate) -> str:
    if fate.decision is not None:
        return in_words(fate.decision)
    if fate.kind.denies:
        return EXPIRED
    return "no rule changes it" if change.contrasts else in_words(None)


def _what(change: Divergence) -> str:
    """``drop → accept``; of what is accepted either way, what of it is another."""
    if change.old.kind is not change.new.kind:
        return f"{_fate(change.old)} → {_fate(change.new)}"
    return f"{_fate(change.new)}, with another {listed(change.aspects)}"


def _fate(fate: Fate) -> str:
    return verdict(fate.kind)


def _described(difference: Difference, change: Divergence) -> Description:
    within = compared(difference.space, change.family, change.hook)
    return describe(difference.space, change.packets, _LINES, within=within)


def diff_json(difference: Difference, more: Mapping[str, object] = MappingProxyType({})) -> str:
    """``more``: further keys."""
    changes = [_change_json(difference, change) for change in difference.changes]
    return dumps(
        {
            "version": VERSION,
            "equivalent": difference.equivalent,
            "certain": difference.certain,
            "families": [family.value for family in difference.families],
            "assumed": list(difference.assumed),
            "notes": list(difference.notes),
            "changes": changes,
            **more,
        }
    )


def _change_json(difference: Difference, change: Divergence) -> dict[str, object]:
    described = _described(difference, change)
    return {
        "hook": change.hook.value,
        "family": change.family.value,
        "from": _fate(change.old),
        "to": _fate(change.new),
        "differs": [contrast._asdict() for contrast in change.contrasts],
        "certain": change.certain,
        "packets": "; ".join([*described.lines, *(["and more"] if described.more else [])]),
        "witness": as_json(change.witness),
        "old": place(change.old.decision),
        "new": place(change.new.decision),
    }
