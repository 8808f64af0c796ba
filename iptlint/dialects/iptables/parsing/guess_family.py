"""Whether a table is one of iptables or of ip6tables; its text does not say so itself."""

from __future__ import annotations

import re
from bisect import bisect
from pathlib import PurePath

from iptlint.model import Family
from iptlint.source import SourceFile

_SAVER = re.compile(r"ip(6?)tables(?:-\w+)?-save\b")
_ENDS = ("\nCOMMIT", "\n*")

_NAME_IP6 = re.compile(r"^ip6tables|(?:^|\.)(?:ip)?v6\b|(?:before|after|user|rules)6\b")
_LOADED_AS = re.compile(r"\.v[46]$")
"""What netfilter-persistent loads, and for which family."""
_NAME_IP = re.compile(r"^iptables|(?:^|\.)(?:ip)?v4\b")

_ADDRESS = (
    r"[ \t](?:-[sd]|--(?:source|src|destination|dst|to-source|to-destination|to|src-range"
    r"|dst-range|on-ip|gateway))[ \t=]+\"?"
)
_CONTENT = re.compile(
    rf"(?P<six>{_ADDRESS}\[?[0-9a-f]*:[0-9a-f]*:"
    r"|[ \t](?:icmpv6|ipv6-icmp|icmp6)\b|[ \t=]icmp6-)"
    rf"|{_ADDRESS}\d+\.\d+\.",
    re.IGNORECASE,
)
"""The first of these to be met decides, which spares a search through a large file."""


class Families:
    """Answers for any place in one source; ``stated`` is what the user said, and final."""

    def __init__(self, source: SourceFile, stated: Family | None) -> None:
        self._text = source.text
        self._stated = stated
        self._headers = [
            (saver.start(), _family(saver[1]))
            for saver in _SAVER.finditer(source.text)
            if source.text.startswith("#", source.text.rfind("\n", 0, saver.start()) + 1)
        ]
        self._named = family_of_path(source.path)
        loaded = _LOADED_AS.search(PurePath(source.path).name) is not None
        named_otherwise = self._named not in (None, *(told for _, told in self._headers))
        if self._headers and named_otherwise and (loaded or self._content_is(self._named)):
            self._headers = []  # the tool for the other family was asked by mistake, or copied from

    def told(self) -> frozenset[Family]:
        """What the lines of the tools that saved it say, or its name; none where neither does."""
        saved = frozenset(family for _, family in self._headers)
        return saved or frozenset(() if self._named is None else (self._named,))

    def of_block(self, start: int) -> Family:
        """The family of the table whose line begins at ``start``."""
        return self._stated or self._header_before(start) or self._named or self._by_content(start)

    def _header_before(self, start: int) -> Family | None:
        before = bisect(self._headers, start, key=lambda header: header[0])
        return self._headers[before - 1][1] if before else None

    def _content_is(self, family: Family | None) -> bool:
        match = _CONTENT.search(self._text)
        return match is not None and _family(match["six"] or "") is family

    def _by_content(self, start: int) -> Family:
        ends = [end for end in (self._text.find(mark, start) for mark in _ENDS) if end >= 0]
        match = _CONTENT.search(self._text, start, min(ends, default=len(self._text)))
        return Family.IP6 if match and match["six"] else Family.IP


def _family(six: str | None) -> Family:
    return Family.IP6 if six else Family.IP


def family_of_path(path: str) -> Family | None:
    """What a file's name says; of the directories only ``ip6tables`` says anything, for
    /etc/iptables holds the rules of both."""
    pure = PurePath(path)
    if _NAME_IP6.search(pure.name):
        return Family.IP6
    if _NAME_IP.search(pure.name):
        return Family.IP
    return Family.IP6 if "ip6tables" in pure.parts[:-1] else None
