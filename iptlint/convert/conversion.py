"""Rulesets of iptables as one file of nft: written, read again, loaded on trial, proved."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from iptlint.analysis.diff import Difference, difference
from iptlint.convert.meanings import said_new, said_old, without_rules
from iptlint.convert.notes import translated_to_sockets
from iptlint.convert.proof import RuleProof
from iptlint.convert.rendering import NewChain, NewTable, Rendering, State
from iptlint.convert.tables import tables
from iptlint.convert.text import Style, text_of
from iptlint.dialects import Reader, Reading, read
from iptlint.loads.judges import load
from iptlint.model import Family, Rule, Ruleset
from iptlint.model.sets import SavedSets
from iptlint.source import SourceFile, Span

_MOST_PROOFS = 4
"""What is not proved is tried in stricter words, and what went together each for itself."""
_MOST_TRIALS = 6
"""What is refused is taken out, and the rest tried again."""
_ALIKE = (State.PROVED, State.LEFT_OUT)


@dataclass(slots=True)
class Conversion:
    """``source``: the new text. ``refused``: why it is not good as a whole. ``differences``: one
    for each of the old rulesets, if they were asked for; ``whole``: what came of that, in words."""

    olds: Sequence[Ruleset]
    tables: Sequence[NewTable]
    source: SourceFile
    reading: Reading
    refused: list[str] = field(default_factory=list)
    differences: list[Difference] = field(default_factory=list)
    whole: str = ""

    def entries(self) -> Iterator[tuple[NewTable, NewChain, Rendering]]:
        for table in self.tables:
            for chain in table.chains:
                for entry in chain.entries:
                    yield table, chain, entry

    def of_state(self, state: State) -> list[Rendering]:
        return [entry for _, _, entry in self.entries() if entry.state is state]

    def count(self, state: State) -> int:
        """Rules of the old text."""
        each = (entry for _, chain, entry in self.entries() if not chain.again)
        return sum(len(entry.rules) for entry in each if entry.state is state)

    @property
    def holds(self) -> bool:
        return self.fares_alike and not self.of_state(State.LEFT_OUT)

    @property
    def fares_alike(self) -> bool:
        """Whether each rule is proved, but those that decide nothing."""
        proved = all(entry.state in _ALIKE for _, _, entry in self.entries())
        return proved and not self.refused and all(d.equivalent for d in self.differences)


def converted(
    olds: Sequence[Ruleset], sets: SavedSets | None, style: Style, heading: Sequence[str]
) -> Conversion:
    """The new text, with each of its rules proved or not."""
    made = tables(olds, sets, apart=style.counters)
    for _ in range(_MOST_PROOFS):
        trial = _tried(olds, made, heading, style)
        _prove(trial)
        stricter = [entry for entry in trial.of_state(State.NOT_PROVED) if _stricter(entry)]
        if not stricter and not _part(made, State.NOT_PROVED):
            break
    return _written(olds, made, heading, style, trial.refused)


def compare_wholes(conversion: Conversion) -> None:
    """Follows all packets through both firewalls, where each rule is proved that decides anything:
    what is left out then has to make no difference."""
    if not conversion.fares_alike:
        return
    if any(map(translated_to_sockets, conversion.olds)):
        conversion.whole = "not compared as a whole, for a socket decides what TPROXY does"
        return
    conversion.differences = [
        difference(said_old(old, conversion.tables), _for_families(conversion, old))
        for old in conversion.olds
    ]
    if conversion.fares_alike:
        conversion.whole = "every packet fares alike in both"


def _for_families(conversion: Conversion, old: Ruleset) -> Ruleset:
    """Without the rules that are for packets of the other family only: limits that are alike in
    both are told apart by their order."""
    others = {
        rule
        for table in conversion.tables
        for entry, new in _standing(table, conversion.reading.ruleset)
        if not {*entry.olds} & {*old.families}
        for rule in new
    }
    kept = without_rules(conversion.reading.ruleset, others)
    return said_new(kept, conversion.tables)


def _part(made: Sequence[NewTable], state: State) -> bool:
    """Puts back the rules that went together to one of the state; whether there are any."""
    parted = False
    for part in (part for table in made for chain in table.chains for part in chain.parts):
        entries: list[Rendering] = []
        for entry in part.entries:
            entries += entry.parts if entry.parts and entry.state is state else (entry,)
        parted = parted or len(entries) > len(part.entries)
        part.entries = entries
    return parted


def _stricter(entry: Rendering) -> bool:
    if not entry.strict or entry.strict == entry.lines:
        return False
    entry.lines, entry.strict, entry.reason = entry.strict, (), ""
    return True


# -- reading and loading ------------------------------------------------------------------------


def _written(
    olds: Sequence[Ruleset],
    made: Sequence[NewTable],
    heading: Sequence[str],
    style: Style,
    refused: list[str],
) -> Conversion:
    source = SourceFile("<converted>", text_of(made, heading, style))
    return Conversion(olds, made, source, read(source, Reader()), refused)


def _tried(
    olds: Sequence[Ruleset], made: Sequence[NewTable], heading: Sequence[str], style: Style
) -> Conversion:
    """The text without the rules that nft would refuse."""
    for _ in range(_MOST_TRIALS):
        trial = _written(olds, made, heading, style, [])
        faults = [*_faults(trial.reading)]
        if not faults:
            return trial
        standing = [pair for table in made for pair in _standing(table, trial.reading.ruleset)]
        blames = [_blame(standing, span, why) for span, why in faults]
        _part(made, State.NOT_CONVERTED)
        if not any(blames):
            trial.refused = [why for _, why in faults]
            return trial
    trial.refused = [why for _, why in faults]
    return trial


def _faults(reading: Reading) -> Iterator[tuple[Span, str]]:
    source = reading.ruleset.source
    for diagnostic in reading.diagnostics:
        if diagnostic.severity == "error":
            span = Span(diagnostic.source or source, diagnostic.start, diagnostic.end)
            yield span, f"nft would not read it: {diagnostic.message}"
    judged = load(reading)
    if judged is not None:
        for refusal in judged.refusals:
            yield refusal.span, f"nft would not load it: {refusal.cause}"


def _blame(standing: Iterable[_Standing], span: Span, why: str) -> bool:
    """Takes the rule out that is at fault; whether there is one."""
    for entry, new in standing:
        if any(part.statement.span.overlaps(span) for part in new):
            entry.state, entry.reason = State.NOT_CONVERTED, entry.reason or why
            entry.lines = entry.strict = ()
            return True
    return False


_Standing = tuple[Rendering, tuple[Rule, ...]]


def _standing(table: NewTable, ruleset: Ruleset) -> Iterator[_Standing]:
    """Each entry with its rules as they were read."""
    there = ruleset.table(table.name, Family(table.family))
    for part in (part for chain in table.chains for part in chain.parts):
        new = there.chains.get(part.name) if there is not None else None
        statements = list(new.statements()) if new is not None else []
        position = 0
        for entry in part.entries:
            own = statements[position : position + len(entry.lines)]
            position += len(entry.lines)
            yield entry, tuple(rule for statement in own for rule in statement)


# -- the proof ----------------------------------------------------------------------------------


def _prove(trial: Conversion) -> None:
    if trial.refused:
        return
    new_ruleset = said_new(trial.reading.ruleset, trial.tables)
    proof = RuleProof(trial.olds, new_ruleset)
    for table in trial.tables:
        proof.enter(table)
        for entry, new in _standing(table, new_ruleset):
            if entry.state in (State.NOT_CONVERTED, State.LEFT_OUT):
                continue
            why = proof.objection(entry, new)
            entry.state = State.NOT_PROVED if why else State.PROVED
            entry.reason = why or ""
