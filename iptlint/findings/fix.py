"""What a finding proposes: an edit of the text, and what it may change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from iptlint.model import Hook, Match, Rule, Ruleset, VerdictKind
from iptlint.source import Edit, Origin


@dataclass(frozen=True, slots=True)
class Change:
    """The packets that a fix means to give another fate, and no others: those of one of the
    ``packets``, tests that all have to hold, at one of the ``hooks``; they become ``kind``."""

    kind: VerdictKind
    hooks: tuple[Hook, ...]
    packets: tuple[tuple[Match, ...], ...]


@dataclass(frozen=True, slots=True)
class Fix:
    """``says``: what is done, as one would tell somebody to do it: the help of the finding.
    ``edits`` share no character. ``safe``: nobody could have wanted the text as it is.
    ``changes``: empty where no packet may fare otherwise; whoever writes the fix proves either
    first. ``sets``: lines for ``ipset restore`` that make the sets the new rules look into.
    ``otherwise``: what somebody may do in its place, as advice. ``leads_to``: the rules that may
    warn of what is meant, as that a host which nobody gets into would be open."""

    says: str
    edits: tuple[Edit, ...]
    safe: bool = True
    changes: tuple[Change, ...] = ()
    sets: str = ""
    otherwise: str = ""
    leads_to: tuple[str, ...] = ()


def deletion(
    ruleset: Ruleset,
    rules: Sequence[Rule],
    says: str,
    *,
    safe: bool = True,
    otherwise: str = "",
) -> Fix | None:
    """Without the statements of the rules; None where one does not stand by itself."""
    edits = [ruleset.syntax.take_out(rule) for rule in rules]
    known = tuple(edit for edit in edits if edit is not None)
    if not known or len(known) < len(edits):
        return None
    return Fix(says, known, safe, otherwise=otherwise)


def without_declared(
    ruleset: Ruleset,
    declared: Sequence[Origin],
    says: str,
    rules: Sequence[Rule] = (),
    *,
    otherwise: str = "",
) -> Fix | None:
    """Without what is declared, and without the rules of a chain that is. Not safe: somebody wrote
    it for something."""
    taken = [ruleset.syntax.take_out_declared(each, rules) for each in declared]
    edits = tuple(edit for each in taken for edit in each or ())
    if not edits or None in taken:
        return None
    return Fix(says, edits, safe=False, otherwise=otherwise)


def joined(fixes: Sequence[Fix | None]) -> Fix | None:
    """All of them at once, what several say once; None where one is missing."""
    each = [fix for fix in fixes if fix is not None]
    if not each or len(each) < len(fixes):
        return None
    return Fix(
        "; and ".join(dict.fromkeys(fix.says for fix in each)),
        tuple(dict.fromkeys(edit for fix in each for edit in fix.edits)),
        all(fix.safe for fix in each),
        tuple(change for fix in each for change in fix.changes),
    )


def rewriting(ruleset: Ruleset, rule: Rule, text: str | None, *, safe: bool = True) -> Fix | None:
    """With another text for the rule; None where there is none, or the rule does not stand by
    itself."""
    edit = None if text is None else ruleset.syntax.put(rule, text)
    return Fix(f"write: {text}", (edit,), safe) if edit is not None else None


def replacement(ruleset: Ruleset, rules: Sequence[Rule], texts: Sequence[str | None]) -> Fix | None:
    """With the texts in the places of the first rules, and without the others; None where a text
    is missing, or a rule does not stand by itself."""
    syntax, left = ruleset.syntax, rules[: len(texts)]
    edits = [
        None if text is None else syntax.put(rule, text)
        for rule, text in zip(left, texts, strict=True)
    ]
    edits += map(syntax.take_out, rules[len(texts) :])
    known = tuple(edit for edit in edits if edit is not None)
    place = "the first" if len(texts) == 1 else f"the first {len(texts)}"
    written = "; ".join(f"`{text}`" for text in texts[:2])
    if len(texts) > 2:
        written += f" and {len(texts) - 2} more"
    says = f"in the place of {place}, the others taken out: {written}"
    return Fix(says, known) if len(known) == len(edits) else None
