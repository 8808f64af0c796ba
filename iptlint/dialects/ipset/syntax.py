"""How the commands of ipset write what rules ask about."""

from __future__ import annotations

import re
from collections.abc import Iterator

from iptlint.model.syntax import SetSyntax, WrittenNetwork
from iptlint.source import SourceFile, Span

_ADD = re.compile(
    r"^add\s+(?P<set>\S+)\s+(?P<address>[0-9a-fA-F.:]+)/(?P<mask>[0-9]+)(?=[\s,]|$)", re.MULTILINE
)


class IpsetSyntax(SetSyntax):
    def added_networks(self, source: SourceFile) -> Iterator[tuple[str, WrittenNetwork]]:
        for add in _ADD.finditer(source.text):
            written = Span(source, add.start("address"), add.end("mask"))
            yield add["set"], WrittenNetwork(written, add["address"], add["mask"])


IPSET = IpsetSyntax()
