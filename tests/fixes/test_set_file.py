"""Where the set goes that takes the place of a list of rules."""

from __future__ import annotations

import pytest

from iptlint.dialects import Reader
from iptlint.fixes.proof import State
from iptlint.fixes.set_file import NoPlaceError, with_sets
from iptlint.source import SourceFile

RULES = SourceFile("etc/rules.v4", "*filter\n:INPUT ACCEPT [0:0]\nCOMMIT\n")
SAVED = SourceFile("etc/ipset.conf", "create office hash:net family inet\n")
NEW = "create banned hash:net family inet\nadd banned 192.0.2.1\n"


def state(*sources: SourceFile, ipsets: tuple[SourceFile, ...] = ()) -> State:
    return State(sources, ipsets, Reader())


def test_a_file_ipsets_beside_the_rules() -> None:
    (made,) = with_sets(state(RULES), NEW).ipsets
    assert (made.path, made.text) == ("etc/ipsets", NEW)


@pytest.mark.parametrize("given", [state(RULES, SAVED), state(RULES, ipsets=(SAVED,))])
def test_the_file_of_the_host_s_sets(given: State) -> None:
    after = with_sets(given, NEW)
    (longer,) = {*after.sources, *after.ipsets} - {RULES}
    assert (longer.path, longer.text) == (SAVED.path, SAVED.text + NEW)


def test_not_where_nobody_knows_which() -> None:
    other = SourceFile("etc/more.ipset", "create lan hash:net family inet\n")
    with pytest.raises(NoPlaceError, match="which of the files"):
        with_sets(state(RULES, SAVED, other), NEW)
    with pytest.raises(NoPlaceError, match="one host at a time"):
        with_sets(state(RULES, SourceFile("elsewhere/rules.v4", RULES.text)), NEW)


def test_nothing_for_nothing() -> None:
    before = state(RULES)
    assert with_sets(before, "") is before
