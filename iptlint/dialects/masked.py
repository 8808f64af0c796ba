"""Addresses that are written with a mask: ``192.0.2.7/24``."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

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


_VARIABLE = re.compile(
    r"(?<!\S)(?:-[sd]|--(?:src|dst|source|destination))[ =]+"
    r"(?P<use>(?P<quote>\"?)\$(?P<brace>\{)?(?P<name>[A-Za-z_]\w*)(?(brace)\})(?P=quote))(?!\S)"
)
_USE = re.compile(r"\$\{?([A-Za-z_]\w*)")
_SAID = re.compile(r"^[ \t]*(?:echo|printf)\b[^>|\n]*$", re.MULTILINE)
"""What is shown to people is used for nothing."""
_GIVEN = re.compile(
    r"^[ \t]*(?:(?:export|readonly|local|declare|typeset)(?:[ \t]+-\w+)*[ \t]+)?"
    r"(?P<name>[A-Za-z_]\w*)=(?P<quote>[\"']?)(?P<values>[\da-fA-F.:/,]+)(?P=quote)"
    r"(?=[ \t]*(?:[;#].*)?$)",
    re.MULTILINE,
)


def masked_in_variables(spans: Sequence[Span]) -> Iterator[WrittenNetwork]:
    """Those that a script gives to a variable which it uses for nothing but addresses of rules:
    another command may want the address of a host and its network in one (`ip addr add`)."""
    used = Counter(
        (span.source, use["name"]) for span in spans for use in _VARIABLE.finditer(span.text)
    )
    for source in dict.fromkeys(source for source, _ in used):
        everywhere = Counter(_USE.findall(_SAID.sub("", source.text)))
        for given in _GIVEN.finditer(source.text):
            if used.get((source, given["name"])) == everywhere[given["name"]] > 0:
                yield from masked(Span(source, *given.span("values")), _WHOLE)


_WHOLE = re.compile(r"(?P<values>.+)")


def _are_hosts(text: str) -> bool:
    """Whether each mask keeps all bits of its address: what stands behind /32 tells nothing of an
    address of IPv6."""
    whole = "/128 " if ":" in text else "/32 "
    return text.count("/") == text.count(whole)
