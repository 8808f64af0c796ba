"""How the commands of ipset write what rules ask about."""

from __future__ import annotations

import re
from collections.abc import Iterator

from iptlint.model.syntax import SetSyntax
from iptlint.source import SourceFile, Span

_ADD = re.compile(r"^add\s+(?P<set>\S+)\s+(?P<values>[\da-fA-F.:]+/\d+)(?=[\s,]|$)", re.MULTILINE)


class IpsetSyntax(SetSyntax):
    def added_networks(self, source: SourceFile) -> Iterator[tuple[str, Span]]:
        for add in _ADD.finditer(source.text):
            yield add["set"], Span(source, add.start("values"), add.end("values"))


IPSET = IpsetSyntax()
