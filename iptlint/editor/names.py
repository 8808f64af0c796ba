"""Where a name leads to, where else it stands, and another name for it, which is proved."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lsprotocol import types as lsp

from iptlint.dialects import Reading
from iptlint.dialects.detect import NFT
from iptlint.dialects.iptables.names import names as names_of_iptables
from iptlint.dialects.iptables.parsing.tree import SaveFile
from iptlint.dialects.nft.names import includes
from iptlint.dialects.nft.names import names as names_of_nft
from iptlint.dialects.nft.tree import NftFile
from iptlint.dialects.written_names import WrittenName
from iptlint.editor.desk import Seen
from iptlint.fixes.proof import State
from iptlint.loads.judges import load
from iptlint.memo import memo
from iptlint.model import Ruleset
from iptlint.source import Edit, SourceFile, Span, edited


class NotRenamedError(Exception):
    """The name stays; a sentence says why."""


@memo
def written(seen: Seen) -> tuple[WrittenName, ...]:
    """The names in the text, where its language tells; in others none."""
    match seen.reading.tree:
        case SaveFile() as tree:
            return tuple(names_of_iptables(tree))
        case NftFile() as tree if seen.ruleset.dialect == NFT:
            return tuple(names_of_nft(tree))
    return ()


def name_at(seen: Seen, position: lsp.Position) -> WrittenName | None:
    offset = seen.lines.offset(position)
    for name in written(seen):
        if seen.is_here(name.span) and name.span.start <= offset <= name.span.end:
            return name
    return None


def definition(seen: Seen, position: lsp.Position) -> list[lsp.Location]:
    """Where the thing is made whose name stands there; of an include, the files."""
    name = name_at(seen, position)
    if name is None:
        return [*_files_at(seen, position)] or [*_chain_of_script(seen, position)]
    same = [each for each in written(seen) if each.is_same(name)]
    return [_location(seen, each.span) for each in same if each.declares]


def references(seen: Seen, position: lsp.Position) -> list[lsp.Location]:
    """Wherever the thing is named, its declaration among them."""
    name = name_at(seen, position)
    if name is None:
        return []
    return [_location(seen, each.span) for each in written(seen) if each.is_same(name)]


def _location(seen: Seen, span: Span) -> lsp.Location:
    return lsp.Location(seen.uri(span.source.path), seen.lines_of(span.source).of(span))


def _files_at(seen: Seen, position: lsp.Position) -> Iterator[lsp.Location]:
    tree, offset = seen.reading.tree, seen.lines.offset(position)
    start = lsp.Position(0, 0)
    for include in includes(tree) if isinstance(tree, NftFile) else ():
        if include.span.start <= offset <= include.span.end:
            read = [file.path for file in include.files]
            # What could not be read has to be looked at all the more.
            for path in read or seen.host.reader.files.matching(include.span.text.strip("\"'")):
                yield lsp.Location(seen.uri(path), lsp.Range(start, start))


def _chain_of_script(seen: Seen, position: lsp.Position) -> Iterator[lsp.Location]:
    """Where a command of a script makes the chain that one there sends packets to."""
    offset = seen.lines.offset(position)
    if seen.ruleset.script is None:
        return
    for table, _, rule in seen.ruleset.rules():
        span, chain = rule.statement.span, table.chains.get(rule.verdict.chain or "")
        if chain and chain.origin and seen.is_here(span) and span.start <= offset <= span.end:
            yield _location(seen, chain.origin.span)
            return


# -- another name -----------------------------------------------------------------------------


def renamable(seen: Seen, position: lsp.Position) -> lsp.Range:
    """The name that can be another one; NotRenamedError where none can."""
    name = name_at(seen, position)
    if name is None:
        raise NotRenamedError("only names of chains, sets and defines can be changed here")
    _refuse(seen, name)
    return seen.lines.of(name.span)


def rename(seen: Seen, position: lsp.Position, new: str) -> lsp.WorkspaceEdit:
    """All uses of the name changed; NotRenamedError where that is not proved to change nothing
    else."""
    name = name_at(seen, position)
    if name is None:
        raise NotRenamedError("only names of chains, sets and defines can be changed here")
    _refuse(seen, name)
    same = [each for each in written(seen) if each.is_same(name)]
    _prove(seen, _Rename(name.name, new, tuple(Edit(each.span, new) for each in same)))
    changes: dict[str, list[lsp.TextEdit]] = {}
    for each in same:
        source = each.span.source
        edit = seen.lines_of(source).edit(Edit(each.span, new))
        changes.setdefault(seen.uri(source.path), []).append(edit)
    return lsp.WorkspaceEdit(changes)


def _refuse(seen: Seen, name: WrittenName) -> None:
    if not any(each.declares and each.is_same(name) for each in written(seen)):
        made = "ipset makes it" if isinstance(seen.reading.tree, SaveFile) else "another file may"
        raise NotRenamedError(f"{name.name} is not made in this file ({made}), so it stays")
    if isinstance(seen.reading.tree, SaveFile) and name.name.isupper() and _is_built_in(seen, name):
        raise NotRenamedError(f"{name.name} is a chain of the kernel, so it stays")
    if seen.ruleset.is_nft and not seen.ruleset.syntax.is_entry_point(seen.source):
        raise NotRenamedError(
            "a file that includes this one may use the name: only nftables.conf and files that "
            "begin with #!/usr/sbin/nft are known to be loaded by themselves"
        )


def _is_built_in(seen: Seen, name: WrittenName) -> bool:
    return any(
        chain.hook is not None and chain.name == name.name
        for table in seen.ruleset.tables
        for chain in table.chains.values()
        if name.scope == (table.family.value, table.name)
    )


@dataclass(frozen=True, slots=True)
class _Rename:
    old: str
    new: str
    edits: tuple[Edit, ...]

    @property
    def pattern(self) -> re.Pattern[str]:
        """The new name as a word."""
        return re.compile(rf"(?<![\w.-]){re.escape(self.new)}(?![\w.-])")

    def undone(self, text: str) -> str:
        return self.pattern.sub(lambda _: self.old, text)

    def applied(self, source: SourceFile) -> SourceFile:
        own = [edit for edit in self.edits if edit.span.source.path == source.path]
        return edited(source, own) if own else source


def _prove(seen: Seen, change: _Rename) -> None:
    """The new text makes the same rules but for the name, and is refused nothing more. That the
    new name stands nowhere in the old texts makes it one of its own."""
    if not change.new.strip():
        raise NotRenamedError("a name has at least one character")
    touched = {edit.span.source.path: edit.span.source for edit in change.edits}
    known = (*seen.host.sources, *touched.values())
    if any(change.pattern.search(source.text) for source in known):
        raise NotRenamedError(f"{change.new} stands in the file already")
    if len(touched) > 1 or seen.source.path not in touched:
        raise NotRenamedError("the name stands in several files; change it in each of them")
    sources = tuple(map(change.applied, seen.host.sources))
    new = State(sources, seen.state.ipsets, seen.state.reader).readings[0]
    before, after = _told(seen.reading), _told(new)
    said = sorted(map(change.undone, after))
    if said != before:
        more = next((message for message in after if message not in before), "it is read otherwise")
        raise NotRenamedError(f"with that name, this would be said of the file: {more}")
    if _meaning(new.ruleset, change) != _meaning(seen.ruleset, None):
        raise NotRenamedError("it could not be proved that nothing else changes with the name")


def _told(reading: Reading) -> list[str]:
    """What is wrong with a text, and what its tool refuses of it."""
    judged = load(reading)
    refusals = judged.refusals if judged is not None else ()
    messages = [each.message for each in reading.diagnostics]
    return sorted([*messages, *(each.cause for each in refusals)])


def _meaning(ruleset: Ruleset, change: _Rename | None) -> Sequence[str]:
    """All that the kernel is given, in order; with the old name for the new one."""
    lines: list[str] = [f"{each.kind} {each.name}" for each in ruleset.defines]
    for table in ruleset.tables:
        lines.append(f"table {table.family} {table.name} {table.fresh}")
        lines += (f"{each.kind} {each.name} {each.elements} {each.used}" for each in table.sets)
        for chain in table.chains.values():
            hooked = (chain.hook, chain.priority, chain.policy, chain.type, chain.devices)
            lines.append(f"chain {chain.name} {hooked!r}")
            for rule in chain.rules:
                does = (rule.verdict, rule.effects, rule.comment, rule.copies, rule.read)
                lines.append(f"rule {rule.matches!r} {does!r} {rule.counters!r}")
    if change is None:
        return lines
    return [*map(change.undone, lines)]
