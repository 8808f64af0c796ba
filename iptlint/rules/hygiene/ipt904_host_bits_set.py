"""An address with a mask that hides part of it: `10.0.0.1/8` is all of 10.0.0.0/8.

## What it does
Finds addresses whose mask is shorter than they are: in `-s` and `-d` of iptables, in tests, sets
and defines of nft, in `add` lines of ipset. Saved rulesets never show them, since the tools print
what they made of it; hand-written ones do.

## Why it matters
The tools cut off what is behind the mask and say nothing. Whoever wrote 10.0.0.1/8 meant one host
and has let in 16 million, or meant the network and has named a host in it that means nothing.

## Example
```
-A INPUT -s 203.0.113.7/24 -p tcp -m tcp --dport 22 -j ACCEPT
```

## Fix
`-s 203.0.113.7` for the host, `-s 203.0.113.0/24` for the network.

## When it is wrong
It never changes what is loaded. Some write the router's address with the network's mask on
purpose. 127.0.0.1/8, as it stands on the loopback interface, is left alone.

## References
- iptables(8), --source: https://man7.org/linux/man-pages/man8/iptables.8.html
- RFC 4632, section 3.1: https://www.rfc-editor.org/rfc/rfc4632
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import ip_address
from typing import NamedTuple

from iptlint.analysis.session import Context
from iptlint.findings import Confidence, Finding, Severity
from iptlint.model import Ruleset
from iptlint.model.sets import Dimension
from iptlint.model.written_lists import bare, host_bits, is_text, number, places, statements
from iptlint.rules.meta import Group, Meta
from iptlint.source import Span

META = Meta(
    code="IPT904",
    name="host-bits-set",
    severity=Severity.WARNING,
    confidence=Confidence.CERTAIN,
    group=Group.HYGIENE,
    since="0.1.0",
)

_OPTION = re.compile(
    r"(?<!\S)(?:-[sd]|--(?:src|dst|source|destination))[ =]+(?P<values>[\da-fA-F.:/,]+)(?!\S)"
)
_TEST = re.compile(
    r"\b[sd]addr\b(?:[\w\s.!=]*\{|\s*(?:[!=]=\s*)?)(?P<values>[\da-fA-F.:/, \n\t-]+)"
)
_DEFINE = re.compile(r"=\s*(?P<values>[\da-fA-F.:]+/\d+)\s*$")
_ALL = re.compile(r"(?P<values>.+)", re.DOTALL)
_WORD = re.compile(r"[\da-fA-F.:]+/[\da-fA-F.:]+(?=[\s,]|$)")
_LOOPBACK = "127.0.0.1/8"
"""As it stands on the interface; nobody means the one host."""
_ADD = re.compile(r"^add\s+(?P<set>\S+)\s+(?P<values>[\da-fA-F.:]+/\d+)(?=[\s,]|$)", re.MULTILINE)


class _Written(NamedTuple):
    """An address and its mask as they are written; ``low`` and ``high``: what they mean."""

    span: Span
    bits: int
    low: int
    high: int


def check(context: Context) -> Iterator[Finding]:
    for ruleset in context.rulesets:
        if is_text(ruleset):
            found = {written.span.start: written for written in _in_text(ruleset)}
            yield from map(_finding, found.values())
    yield from map(_finding, _in_ipsets(context))


def _in_text(ruleset: Ruleset) -> Iterator[_Written]:
    pattern = _TEST if ruleset.is_nft else _OPTION
    for span in statements(ruleset):
        yield from _in_span(span, pattern)
    if ruleset.is_nft:
        for place in places(ruleset):
            yield from _in_span(place.span, _ALL)
        for define in ruleset.defines:
            yield from _in_span(define.origin.span, _DEFINE)


def _in_span(span: Span, pattern: re.Pattern[str]) -> Iterator[_Written]:
    if "/" in span.text:
        for found in pattern.finditer(bare(span.text)):
            for word in _WORD.finditer(found["values"]):
                start = span.start + found.start("values") + word.start()
                yield from _hiding(Span(span.source, start, start + len(word[0])))


def _hiding(span: Span) -> Iterator[_Written]:
    """Where the mask hides some of the address."""
    address, _, mask = span.text.partition("/")
    found = number(address)
    hosts = host_bits(mask, found[1]) if found else None
    if found and hosts and found[0] & hosts and span.text != _LOOPBACK:
        yield _Written(span, found[1], found[0] & ~hosts, found[0] | hosts)


def _in_ipsets(context: Context) -> Iterator[_Written]:
    """What is added to sets of networks; other types count the addresses from there on."""
    contents = context.sets.contents if context.sets else {}
    files = {id(each.origin.span.source): each.origin.span.source for each in contents.values()}
    for source in files.values():
        for found in _ADD.finditer(source.text):
            known = contents.get(found["set"])
            if known is not None and Dimension.NETWORK in known.dimensions:
                yield from _hiding(Span(source, found.start("values"), found.end("values")))


def _finding(written: _Written) -> Finding:
    host, _, mask = written.span.text.partition("/")
    network = f"{_address(written.low, written.bits)}/{mask}"
    count = written.high - written.low + 1
    size = f"{count:,} addresses" if count < 1 << 33 else f"2^{count.bit_length() - 1} addresses"
    return META.finding(
        written.span,
        f"{written.span.text} is {network}, {size}: what {host} has behind the mask is cut off when"
        " it is loaded",
        f"write {network} for the network, {host} for the one host",
        likeness="host bits",
    )


def _address(number: int, bits: int) -> str:
    return str(ip_address(number.to_bytes(bits // 8, "big")))
