"""A script that counts its arguments, and has a value of its own for one that may be left out.

`set -- a b; echo "${3:-both}"` prints `both` in every shell.
"""

from __future__ import annotations

import pytest

from iptlint.dialects.readers import read
from iptlint.source import SourceFile

COUNTS = "#!/bin/sh\nif [ $# -lt 2 ]; then\n\texit 1\nfi\n"


def is_sure(text: str) -> bool:
    """Whether tcp port 22 is opened under no condition, to whoever is named."""
    steps = read(SourceFile("open.sh", text)).ruleset.script
    assert steps is not None
    return any("--dport 22" in s.span.text and not s.conditions for s in steps.steps)


@pytest.mark.parametrize("both", ["${3:-both}", "${3-both}"])
def test_it_has_its_own_value_where_it_is_left_out(both: str) -> None:
    asks = f'HOW={both}\nif [ "$HOW" = both ]; then\n'
    assert is_sure(f'{COUNTS}{asks}iptables -A INPUT -s "$1" -p tcp --dport 22 -j "$2"\nfi\n')


def test_it_may_be_there_where_a_word_is_split() -> None:
    """`f $1` hands on as many words as there are in `$1`."""
    does = "iptables -A INPUT -p tcp --dport 22 -j DROP"
    function = f'f() {{\nif [ "${{2:-both}}" = both ]; then\n{does}\nfi\n}}\n'
    assert not is_sure(f"{COUNTS}{function}f $1\n: $2\n")


@pytest.mark.parametrize(
    "counts",
    ["test $# -ne 2 && exit 1", '[ "$#" != 2 ] && exit 1', "[ $# -lt 2 ] && exit 1"],
)
def test_a_field_of_awk_is_no_argument(counts: str) -> None:
    field = "X=$(ip route | awk -F/ '{ print $7 }')\n"
    rule = 'iptables -A INPUT -i "$1" -s "$2" -p tcp --dport 22 -j ACCEPT\n'
    assert is_sure(f"#!/bin/sh\n{counts}\n{field}{rule}")


def test_who_wants_so_many_is_given_no_more() -> None:
    wants = "#!/bin/sh\n[ $# -ne 2 ] && exit 1\n"
    assert is_sure(f'{wants}f() {{ echo "$3"; }}\niptables -A INPUT -p tcp --dport 22 -j "$2"\n')
