"""Where the sets go that new rules look into: into the file of the host's sets, or a new one.

The new one is called ``ipsets`` and lies beside the rules: there netfilter-persistent looks for it
before it loads them (ipset-persistent, plugin 10-ipset), and so does iptlint.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import PurePath

from iptlint.fixes.proof import State
from iptlint.source import SourceFile

NAME = "ipsets"


class NoPlaceError(Exception):
    """No file takes the sets; the text says why."""


def with_sets(state: State, lines: str) -> State:
    """With the lines at the end of the file of sets. NoPlaceError where it is not clear which
    that is."""
    if not lines:
        return state
    given = {reading.ruleset.source for reading in state.sets}
    if len(given) > 1:
        raise NoPlaceError("it is not clear into which of the files the set is to go")
    if given:
        (source,) = given
        return _appended(state, source, lines)
    directories = {str(PurePath(source.path).parent) for source in state.sources}
    if len(directories) > 1:
        raise NoPlaceError("the files are of several directories: fix those of one host at a time")
    new = SourceFile(str(PurePath(directories.pop()) / NAME), lines)
    return replace(state, ipsets=(*state.ipsets, new))


def _appended(state: State, source: SourceFile, lines: str) -> State:
    longer = SourceFile(source.path, f"{source.text.rstrip()}\n{lines}", source.marked)

    def instead(sources: tuple[SourceFile, ...]) -> tuple[SourceFile, ...]:
        return tuple(longer if each is source else each for each in sources)

    return replace(state, sources=instead(state.sources), ipsets=instead(state.ipsets))
