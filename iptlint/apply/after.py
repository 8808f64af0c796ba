"""The rules that a host will have once files are applied, as one ruleset.

What a file replaces is replaced and nothing else: iptables-restore the tables that it names, nft
whatever its commands say, which are carried out here on what `nft list ruleset` has printed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from iptlint.apply.new_files import Kind, NewFile
from iptlint.dialects import Reader, Reading, read
from iptlint.dialects.decode import encode
from iptlint.dialects.files import SameFiles
from iptlint.dialects.merging import merged
from iptlint.dialects.sets import read_sets, together
from iptlint.host.gathered import Gathered
from iptlint.host.running import running
from iptlint.model import Ruleset, Table
from iptlint.source import SourceFile

_CREATE = re.compile(r"create (\S+) ")
_INCLUDED = "/iptlint/new-rules"
_LISTING = "nft list ruleset"


class UntoldError(Exception):
    """It cannot be told what the host will have; the text is a sentence."""


def after(gathered: Gathered, files: Sequence[NewFile], reader: Reader) -> Ruleset:
    """UntoldError where not all of the running rules are known, or not all of a file is read."""
    sets = [file.source for file in files if file.kind is Kind.SETS]
    gathered = _with_sets(gathered, sets)
    now = running(gathered)
    if now.backends is None:
        raise UntoldError("the rules that run are not known as a whole")
    legacy, by_nft = now.backends
    for file in files:
        if file.kind is Kind.NFT:
            by_nft = _loaded(gathered, by_nft, file, reader)
    rules = [file for file in files if file.kind in (Kind.IPTABLES, Kind.IP6TABLES)]
    readings, _ = together([*(f.reading for f in rules), *map(read_sets, now.ipsets)])
    for reading in readings[: len(rules)]:
        _refuse_unread(reading)
        if "nf_tables" in gathered.printed("iptables-version"):
            by_nft = _replaced(by_nft, reading.ruleset)
        else:
            legacy = _replaced(legacy, reading.ruleset)
    return merged([legacy, by_nft])


def _with_sets(gathered: Gathered, sets: Iterable[SourceFile]) -> Gathered:
    """With what `ipset -exist restore` adds to the sets."""
    output = gathered.outputs.get("ipset")
    for source in sets:
        if output is None or output.status != 0:
            raise UntoldError("the sets of ipset that there are could not be read")
        text = output.data.decode("utf-8", "surrogateescape")
        known = {*_CREATE.findall(text)}
        lines = (
            line
            for line in encode(source).decode("utf-8", "surrogateescape").splitlines(keepends=True)
            if not ((created := _CREATE.match(line)) and created[1] in known)
        )
        text = f"{text.rstrip()}\n{''.join(lines)}"
        output = replace(output, data=text.encode("utf-8", "surrogateescape"))
        gathered = replace(gathered, outputs={**gathered.outputs, "ipset": output})
    return gathered


def _replaced(ruleset: Ruleset, new: Ruleset) -> Ruleset:
    names = {(table.family, table.name) for table in new.tables}
    kept = (table for table in ruleset.tables if (table.family, table.name) not in names)
    return replace(merged([ruleset]), tables=(*kept, *new.tables))


def _refuse_unread(reading: Reading) -> None:
    for diagnostic in reading.diagnostics:
        if diagnostic.severity == "error":
            source = diagnostic.source or reading.ruleset.source
            line = source.line_of(diagnostic.start)
            raise UntoldError(f"{source.path}:{line}: {diagnostic.message}")


def _loaded(gathered: Gathered, before: Ruleset, file: NewFile, reader: Reader) -> Ruleset:
    listing = gathered.printed("nft")
    source = SourceFile(_LISTING, f'{listing}\ninclude "{_INCLUDED}"\n')
    files = _Beside(reader.files, file.source)
    reading = read(source, replace(reader, files=files))
    _refuse_unread(reading)
    # What iptables-save printed of its tables says more than nft's listing of them.
    known = {(table.family, table.name): table for table in before.tables}
    listed = read(SourceFile(_LISTING, listing)).ruleset if listing.strip() else None
    as_listed = {(t.family, t.name): _shape(t) for t in listed.tables} if listed else {}
    tables = []
    for table in reading.ruleset.tables:
        key = table.family, table.name
        untouched = key in known and as_listed.get(key) == _shape(table)
        tables.append(known[key] if untouched else table)
    return replace(merged([reading.ruleset]), tables=tuple(tables))


def _shape(table: Table) -> object:
    """Equal where a table is as it was listed."""
    rules = [(rule.origin.span.source.path, rule.origin.span.text) for _, rule in table.rules()]
    policies = [(chain.name, chain.policy and chain.policy.kind) for chain in table.chains.values()]
    return rules, policies


@dataclass(frozen=True, slots=True)
class _Beside(SameFiles):
    """The files that a text may lead to, and one more, which is shown by its own path."""

    new: SourceFile

    def shown_path(self, path: str) -> str:
        return self.new.path if path == _INCLUDED else self.files.shown_path(path)

    def real_path(self, path: str) -> str:
        return path if path == _INCLUDED else self.files.real_path(path)

    def matching(self, pattern: str) -> list[str]:
        return [_INCLUDED] if pattern == _INCLUDED else self.files.matching(pattern)

    def read(self, path: str) -> bytes:
        return encode(self.new) if path == _INCLUDED else self.files.read(path)
