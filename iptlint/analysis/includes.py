"""Files of nft: which are loaded by themselves, and which of them others include."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import PurePath

from iptlint.analysis.session import Context
from iptlint.model import Ruleset
from iptlint.source import Origin, SourceFile

_SHEBANG = re.compile(r"\A#!.*\bnft\b")
_INCLUDE = re.compile(
    r"""(?:^|[;{])[ \t]*include[ \t]+(?:"([^"\n]*)"|'([^'\n]*)'|([^\s;"']+))""", re.M
)


def is_entry_point(ruleset: Ruleset) -> bool:
    """Whether the file is one that is loaded by itself, at boot or by hand."""
    source = ruleset.source
    named = PurePath(source.path).name == "nftables.conf"
    return ruleset.is_nft and (named or _SHEBANG.search(source.text) is not None)


def loaded_alone(context: Context) -> Iterator[Ruleset]:
    """The rulesets of nft that no other one of the run includes."""
    several = len(context.rulesets) > 1
    included = [pattern for r in context.rulesets for pattern in _tails(r)] if several else []
    for ruleset in context.rulesets:
        path = PurePath(os.path.realpath(ruleset.source.path))
        if ruleset.is_nft and not any(path.match(pattern) for pattern in included):
            yield ruleset


def _tails(ruleset: Ruleset) -> Iterator[str]:
    """The folder and the name of what the ruleset includes: a copy of a host's files lies
    elsewhere than on the host."""
    for source in sources(ruleset):
        for pattern in _patterns(source):
            if pattern != os.path.realpath(ruleset.source.path):
                yield str(PurePath(*PurePath(pattern).parts[-2:]))


def _patterns(source: SourceFile) -> Iterator[str]:
    """The paths that the includes of a text name."""
    for found in _INCLUDE.finditer(source.text):
        yield os.path.normpath(found[1] or found[2] or found[3] or "?")


def sources(ruleset: Ruleset) -> tuple[SourceFile, ...]:
    """The file itself, and those of the included ones in which something is declared."""
    found = {id(ruleset.source): ruleset.source}
    if ruleset.is_nft and _INCLUDE.search(ruleset.source.text):
        for origin in _origins(ruleset):
            source = origin.span.source
            found.setdefault(id(source), source)
    return tuple(found.values())


def has_unseen_includes(ruleset: Ruleset) -> bool:
    """Whether an include names files none of which shows in the ruleset: they may be on the
    host that loads it, or hold nothing but ``delete`` and ``flush``."""
    seen = sources(ruleset)
    paths = [PurePath(os.path.realpath(source.path)) for source in seen[1:]]
    patterns = (pattern for source in seen for pattern in _patterns(source))
    return any(not any(path.match(pattern) for path in paths) for pattern in patterns)


def _origins(ruleset: Ruleset) -> Iterator[Origin]:
    yield from (define.origin for define in ruleset.defines)
    if ruleset.flush is not None:
        yield ruleset.flush
    for table in ruleset.tables:
        if table.origin is not None:
            yield table.origin
        yield from (chain.origin for chain in table.chains.values() if chain.origin)
        yield from (named.origin for named in table.sets)
        yield from (rule.origin for _, rule in table.rules())
