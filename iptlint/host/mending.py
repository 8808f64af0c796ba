"""Findings on running rules, with the chain and the number of the rule, the command that shows it
and the one that mends it.

Each line of a listing is a rule, so the edit that a finding proposes is a few commands: they say
which rules go, change or come, from the last to the first, so that no number moves before its turn.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from functools import cached_property

from iptlint.findings import Finding
from iptlint.host.gathered import Gathered
from iptlint.source import SourceFile, edited

_LISTING = "nft list ruleset"
_SAVE = re.compile(r"(ip6?tables)-save \((legacy|nft)\)")
_APPENDED = re.compile(r"(?:\[\d+:\d+\] )?-A (\S+) ?(.*)")
_POLICY = re.compile(r":(\S+) (ACCEPT|DROP)\b")
_USER_CHAIN = re.compile(r":(\S+) - ")
_SAVED_TABLE = re.compile(r"(?m)^\*(\w+)")
_NO_RULE = re.compile(r"\t\t(?:type \S+ hook |policy |comment \"|devices = )")
_PLAIN_WORDS = re.compile(r'(?:[\w .,:/@+=%~-]|!(?= )|"[^"$`\\!]*")*')
"""What a shell takes as it stands: comments are whoever's, and somebody pastes the command."""
_MOST = 3
"""Commands that are shown of one finding."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a line of a listing stands. ``number``: of the rule in its chain, from 1; None for the
    chain itself."""

    table: str
    chain: str
    number: int | None


def with_commands(
    findings: Sequence[Finding], sources: Sequence[SourceFile], gathered: Gathered
) -> tuple[Finding, ...]:
    """The findings whose place is in one of the sources, which commands of the host printed, with
    what to type beside their help."""
    listings = {source: Listing(source, gathered) for source in sources}
    return tuple(
        _told(finding, listings[finding.span.source])
        if finding.span.source in listings
        else finding
        for finding in findings
    )


def _told(finding: Finding, listing: Listing) -> Finding:
    place = listing.places.get(finding.span.line)
    if place is None:
        return finding
    if not _is_plain(listing.shows(place)):
        return finding
    what = f"rule {place.number} of {place.chain}" if place.number else f"the chain {place.chain}"
    said = f"{what}: `sudo {listing.shows(place)}` shows it"
    if mending := listing.mends(finding):
        shown = ", then ".join(f"`sudo {command}`" for command in mending)
        said += f"; {shown} mends it"
    return replace(finding, advice="; ".join(filter(None, (finding.advice, said))))


class Listing:
    """What one command printed."""

    def __init__(self, source: SourceFile, gathered: Gathered) -> None:
        self.source = source
        self._lines = source.text.split("\n")
        match = _SAVE.fullmatch(source.path)
        self._is_nft = source.path == _LISTING
        self._tool = "" if match is None else _tool(match[1], match[2], gathered)
        self._handles = _handles(gathered) if self._is_nft else {}
        self._managed = dict(_managed(gathered)) if self._is_nft else {}

    @cached_property
    def places(self) -> Mapping[int, Place]:
        """By line; empty of what is no listing."""
        if self._is_nft:
            return dict(_in_nft(self._lines))
        return dict(_in_save(self._lines)) if self._tool else {}

    def shows(self, place: Place) -> str:
        tool = self._tool_of(place)
        if not tool:
            return f"nft -a list chain {place.table} {place.chain}"
        return f"{tool} -S {place.chain}{f' {place.number}' if place.number else ''}"

    def _tool_of(self, place: Place) -> str:
        """That of iptables, with the table, where it looks after the table; else nothing."""
        tool = self._managed.get(place.table, "") if self._is_nft else self._tool
        table = place.table.rpartition(" ")[2]
        return tool if not tool or table == "filter" else f"{tool} -t {table}"

    def mends(self, finding: Finding) -> list[str]:
        """The commands that do what the finding's fix does to the listing; none where it proposes
        none, or it takes more than a few."""
        fix = finding.fix
        if fix is None or fix.sets or any(e.span.source is not self.source for e in fix.edits):
            return []
        new = edited(self.source, fix.edits).text.split("\n")
        commands: list[str] = []
        steps = SequenceMatcher(None, self._lines, new, autojunk=False).get_opcodes()
        for tag, start, end, first, last in reversed(steps):
            if tag != "equal":
                some = self._commands(range(start, end), new[first:last])
                if some is None:
                    return []
                commands += some
        return commands if len(commands) <= _MOST else []

    def _commands(self, old: range, new: list[str]) -> list[str] | None:
        """Of lines that others stand for; None where one of them is no rule."""
        write = self._in_nft if self._is_nft else self._in_iptables
        both = min(len(old), len(new))
        pairs: list[tuple[int | None, str | None]] = [
            *zip(old[:both], new[:both], strict=True),
            *((number, None) for number in old[both:]),
            *((None, text) for text in new[both:]),
        ]
        commands = [write(number, text, old.start) for number, text in reversed(pairs)]
        known = [command for command in commands if command is not None and _is_plain(command)]
        return known if len(known) == len(commands) else None

    def _in_iptables(self, old: int | None, new: str | None, before: int) -> str | None:
        """``old`` and ``before`` count lines from 0; a new line stands before ``before``."""
        place = self.places.get((before if old is None else old) + 1)
        added = None if new is None else _APPENDED.fullmatch(new)
        if place is None:
            return None
        tool, chain = self._tool_of(place), place.chain
        if old is None:
            number = 1 if place.number is None else place.number
            is_here = added is not None and added[1] == chain
            return f"{tool} -I {chain} {number} {added[2]}" if added and is_here else None
        if place.number is None:
            policy = None if new is None else _POLICY.match(new)
            if policy:
                return f"{tool} -P {chain} {policy[2]}"
            return f"{tool} -X {chain}" if new is None else None
        if new is None:
            return f"{tool} -D {chain} {place.number}"
        return f"{tool} -R {chain} {place.number} {added[2]}" if added else None

    def _in_nft(self, old: int | None, new: str | None, before: int) -> str | None:
        place = self.places.get((before if old is None else old) + 1)
        if place is None or place.number is None:
            return None
        if tool := self._tool_of(place):
            return f"{tool} -D {place.chain} {place.number}" if new is None else None
        handles = self._handles.get((place.table, place.chain), ())
        last = max((p.number or 0 for p in self.places.values() if _alike(p, place)), default=0)
        if len(handles) != last:
            return None
        at = f"{place.table} {place.chain} handle {handles[place.number - 1]}"
        if old is None:
            return f"nft 'insert rule {at} {new.strip()}'" if new and new.strip() else None
        return f"nft 'replace rule {at} {new.strip()}'" if new else f"nft delete rule {at}"


def _is_plain(command: str) -> bool:
    """Whether a shell finds nothing in it but words."""
    if command.startswith("nft '"):
        return command.count("'") == 2 and command.isprintable()
    return _PLAIN_WORDS.fullmatch(command) is not None and command.isprintable()


def _alike(one: Place, other: Place) -> bool:
    return (one.table, one.chain) == (other.table, other.chain)


def _tool(name: str, backend: str, gathered: Gathered) -> str:
    """The plain name where it is of that backend."""
    is_plain = ("nf_tables" in gathered.printed("iptables-version")) is (backend == "nft")
    return name if is_plain else f"{name}-{backend}"


def _in_save(lines: Sequence[str]) -> Iterator[tuple[int, Place]]:
    table, numbers = "", Counter[str]()
    for line_number, line in enumerate(lines, start=1):
        if line.startswith("*"):
            table, numbers = line[1:].strip(), Counter()
        elif match := _APPENDED.fullmatch(line):
            numbers[match[1]] += 1
            yield line_number, Place(table, match[1], numbers[match[1]])
        elif match := _POLICY.match(line) or _USER_CHAIN.match(line):
            yield line_number, Place(table, match[1], None)


def _in_nft(lines: Sequence[str]) -> Iterator[tuple[int, Place]]:
    """A rule begins behind two tabs; the elements of a set that go on in the next line stand
    further to the right."""
    table, chain, number = "", "", 0
    for line_number, line in enumerate(lines, start=1):
        if line.startswith("table "):
            table = line.removeprefix("table ").removesuffix(" {")
        elif line.startswith("\tchain "):
            chain, number = line.removeprefix("\tchain ").removesuffix(" {"), 0
            yield line_number, Place(table, chain, None)
        elif line.startswith("\t}"):
            chain = ""
        elif chain and re.match(r"\t\t\S", line):
            if _NO_RULE.match(line):
                yield line_number, Place(table, chain, None)
                continue
            number += 1
            yield line_number, Place(table, chain, number)


def _managed(gathered: Gathered) -> Iterator[tuple[str, str]]:
    """The tables of nf_tables that are iptables', as nft calls them, with the tool."""
    for name, family in (("iptables", "ip"), ("ip6tables", "ip6")):
        plain = gathered.printed(f"{name}-save") if _tool(name, "nft", gathered) == name else ""
        for table in _SAVED_TABLE.findall(gathered.printed(f"{name}-nft-save") or plain):
            yield f"{family} {table}", _tool(name, "nft", gathered)


def _handles(gathered: Gathered) -> Mapping[tuple[str, str], Sequence[int]]:
    """Of the rules of each chain, in order, as `nft -j` tells them."""
    handles: dict[tuple[str, str], list[int]] = {}
    try:
        objects = json.loads(gathered.printed("nft-json"))["nftables"]
        for rule in (each["rule"] for each in objects if "rule" in each):
            key = f"{rule['family']} {rule['table']}", rule["chain"]
            handles.setdefault(key, []).append(rule["handle"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return {}
    return handles
