"""Addresses that are written with a mask: ``192.0.2.7/24``."""

from __future__ import annotations

import re
from collections.abc import Iterator

from iptlint.dialects.written_lists import bare
from iptlint.model.syntax import WrittenNetwork
from iptlint.source import Span

_MASKED = re.compile(
    r"(?<![0-9a-fA-F.:])(?P<address>[0-9a-fA-F.:]+)/(?P<mask>[0-9a-fA-F.:]+)(?=[\s,]|$)"
)


def masked(span: Span, place: re.Pattern[str]) -> Iterator[WrittenNetwork]:
    """Those in the group ``values`` of the pattern, wherever the span has it; where all are of
    one host, as tools print them, none."""
    if span.source.text.find("/", span.start, span.end) < 0:
        return
    text = span.text
    if not _are_hosts(text):
        for values in place.finditer(bare(text)):
            for word in _MASKED.finditer(values["values"]):
                start = span.start + values.start("values") + word.start()
                written = Span(span.source, start, start + len(word[0]))
                yield WrittenNetwork(written, word["address"], word["mask"])


def _are_hosts(text: str) -> bool:
    """Whether each mask keeps all bits of its address: what stands behind /32 tells nothing of an
    address of IPv6."""
    whole = "/128 " if ":" in text else "/32 "
    return text.count("/") == text.count(whole)
