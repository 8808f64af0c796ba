"""Files of nft: which are loaded by themselves, and which of them others include."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import PurePath

from iptlint.analysis.session import Context
from iptlint.model import Ruleset
from iptlint.source import Origin, SourceFile


def is_entry_point(ruleset: Ruleset) -> bool:
    """Whether the file is one of nft that is loaded by itself, at boot or by hand."""
    return ruleset.syntax.is_entry_point(ruleset.source)


def loaded_alone(context: Context) -> Iterator[Ruleset]:
    """The rulesets that may include others, and that no other one of the run includes."""
    several = len(context.rulesets) > 1
    included = [pattern for r in context.rulesets for pattern in _tails(r)] if several else []
    for ruleset in context.rulesets:
        path = PurePath(os.path.realpath(ruleset.source.path))
        if ruleset.syntax.adds_to_tables and not any(path.match(pattern) for pattern in included):
            yield ruleset


def _tails(ruleset: Ruleset) -> Iterator[str]:
    """The folder and the name of what the ruleset includes: a copy of a host's files lies
    elsewhere than on the host."""
    for source in sources(ruleset):
        for pattern in ruleset.syntax.included(source):
            if pattern != os.path.realpath(ruleset.source.path):
                yield _tail(pattern)


def _tail(pattern: str) -> str:
    return str(PurePath(*PurePath(pattern).parts[-2:]))


def sources(ruleset: Ruleset) -> tuple[SourceFile, ...]:
    """The file itself, and those of the included ones in which something is declared."""
    declaring = {ruleset.source: None}
    if any(ruleset.syntax.included(ruleset.source)):
        declaring |= dict.fromkeys(origin.span.source for origin in _origins(ruleset))
    return tuple(declaring)


def has_unseen_includes(ruleset: Ruleset) -> bool:
    """Whether an include names files none of which shows in the ruleset: they may be on the
    host that loads it, or hold nothing but ``delete`` and ``flush``."""
    seen = sources(ruleset)
    paths = [PurePath(os.path.realpath(source.path)) for source in seen[1:]]
    patterns = (pattern for source in seen for pattern in ruleset.syntax.included(source))
    return any(not any(path.match(_tail(pattern)) for path in paths) for pattern in patterns)


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
