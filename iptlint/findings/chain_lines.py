"""Which lines of a text are of one chain: for all chains at once, as many comments may ask."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from iptlint.source import SourceFile

_IPTABLES_CHAIN = re.compile(r"(?::|(?:\[\d+:\d+\] )?-[AIP] )(\S+)")
_NFT_BLOCK = re.compile(r"\b(?P<chain>chain(?:\s+[^\s{};]+){1,3}\s*\{)|[{}]")
_QUOTED = re.compile(r'"[^"\n]*"|#.*')

Lines = frozenset[int]


class ChainLines:
    """Of a source. Chains are equal, and one thing, for all of their lines."""

    def __init__(self, source: SourceFile) -> None:
        self._iptables = _shared(_of_iptables(source))
        self._nft = _shared(_of_nft(source))

    def around(self, line: int) -> Lines:
        """The lines of the chain that the statement on a line is of; the line alone where it is in
        none."""
        return self._iptables.get(line) or self._nft.get(line) or frozenset((line,))


def _shared(chains: Iterable[Iterable[int]]) -> Mapping[int, Lines]:
    """For each line the chain; of several on one line the first."""
    of_line: dict[int, Lines] = {}
    for lines in map(frozenset, chains):
        for line in lines:
            of_line.setdefault(line, lines)
    return of_line


def _of_iptables(source: SourceFile) -> Iterable[Iterable[int]]:
    """Every line of a table that begins with the chain."""
    by_chain: dict[tuple[int, str], list[int]] = defaultdict(list)
    table = 0
    for line in range(1, len(source.line_starts) + 1):
        text = source.line_text(line).strip()
        if match := _IPTABLES_CHAIN.match(text):
            by_chain[table, match[1]].append(line)
        table += text.startswith("*") or text == "COMMIT"
    return by_chain.values()


def _of_nft(source: SourceFile) -> Iterator[Iterable[int]]:
    """From ``chain x {`` to its closing brace."""
    plain = _QUOTED.sub(lambda match: " " * len(match[0]), source.text)
    begin, depth = 0, 0
    for brace in _NFT_BLOCK.finditer(plain):
        if depth:
            depth += -1 if brace[0] == "}" else 1
            if not depth:
                yield range(source.line_of(begin), source.line_of(brace.start()) + 1)
        elif brace["chain"]:
            begin, depth = brace.start(), 1
    if depth:
        yield range(source.line_of(begin), len(source.line_starts) + 1)
