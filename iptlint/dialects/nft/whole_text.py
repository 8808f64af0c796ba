"""What a text of nft as a whole says: what it loads with it, empties, or has lost."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

from iptlint.model.syntax import LostRule
from iptlint.source import SourceFile, Span

SHEBANG = re.compile(r"\A#!.*\bnft\b")
FLUSHED = re.compile(r"ruleset[ \t]+(\w+)")
ADDS_ONCE = re.compile(r"(?:^|[;{])[ \t]*create[ \t]+(?:table|chain)\b", re.M)
DECLARATION = re.compile(r"(?:add[ \t]+)?table\b")
OF_IPTABLES = "managed by iptables-nft"
"""What nft writes above a table that is not its own to change."""

_INCLUDE = re.compile(
    r"""(?:^|[;{])[ \t]*include[ \t]+(?:"([^"\n]*)"|'([^'\n]*)'|([^\s;"']+))""", re.M
)
_EMPTIED = re.compile(
    r"(?:^|;)[ \t]*(?:flush|delete|destroy)[ \t]+chain[ \t]+"
    r"(?:(\w+)[ \t]+)??(\S+)[ \t]+([^\s;]+)[ \t]*(?:;|\r?$|#)",
    re.M,
)
_DEFAULT_FAMILY = "ip"


def included(source: SourceFile) -> Iterator[str]:
    """The paths, or patterns of paths, that the includes name."""
    if "include" not in source.text:
        return  # seen in no time: many ask, and few texts include another
    for include in _INCLUDE.finditer(source.text):
        yield os.path.normpath(include[1] or include[2] or include[3] or "?")


def emptied_chains(source: SourceFile) -> frozenset[tuple[str, str, str]]:
    """Family, table and name of the chains that commands flush or delete one by one."""
    tables = _EMPTIED.findall(source.text)
    return frozenset((family or _DEFAULT_FAMILY, table, name) for family, table, name in tables)


# -- translations ------------------------------------------------------------------------------

_TRANSLATED = re.compile(r"^# Translated by ip6?tables-restore-translate\b", re.M)
_LOST = re.compile(
    r"^(?P<indent>[ \t]*)# -t (?P<table>\S+) -[AI] (?P<chain>\S+) (?P<rest>.*?)(?P<closing> ?)\r?$",
    re.M,
)
_TARGET = re.compile(r"-[jg] (\S+)")


def lost_rules(source: SourceFile) -> Iterator[LostRule]:
    """What iptables-restore-translate has left as a comment."""
    translated = _TRANSLATED.search(source.text) is not None
    for lost in _LOST.finditer(source.text):
        # It writes them at the margin, and ends them with a blank; editors may have changed both.
        if translated or lost["closing"] or not lost["indent"]:
            span = Span(source, lost.end("indent"), lost.end("rest"))
            target = _TARGET.search(lost["rest"])
            certain = translated and not lost["indent"]
            yield LostRule(
                span, lost["table"], lost["chain"], target[1] if target else None, certain
            )
