"""Tests of interfaces by what is no name of one: an address, an alias, a protocol, a blank, a
variable between quotes or a name without its number."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from iptlint.model import Interface, Rule
from iptlint.model.kinds import rules_where
from iptlint.model.names import NoInterface, no_interface
from iptlint.netfilter.table_analysis import TableAnalysis
from iptlint.packets.interfaces import may_be_called


class Misnamed(NamedTuple):
    """``number``: the test in the rule. ``certain``: the kernel allows no such name."""

    rule: Rule
    number: int
    name: str
    kind: NoInterface
    certain: bool


def misnamed_in(rule: Rule) -> Iterator[Misnamed]:
    for number, match in enumerate(rule.matches):
        if isinstance(match, Interface) and not match.wildcard and not match.negated:
            kind = no_interface(match.name)
            if kind is not None:
                yield Misnamed(rule, number, match.name, kind, not may_be_called(match.name))


def misnamed_interfaces(analysis: TableAnalysis) -> Iterator[Misnamed]:
    for _, rule in rules_where(analysis.table, lambda rule: any(misnamed_in(rule))):
        yield from misnamed_in(rule)


INSTEAD = {
    NoInterface.ADDRESS: (
        "an address, and no interface",
        "test the source or the destination, or write the name of the interface",
    ),
    NoInterface.ALIAS: (
        "an alias, one more address of the interface, by whose name packets come and go",
        "write {interface}, and test the address",
    ),
    NoInterface.PLACEHOLDER: (
        "what a template has for an interface",
        "write the name of the interface",
    ),
    NoInterface.PROTOCOL: (
        "a protocol, and no interface",
        "test the protocol, or write the name of the interface",
    ),
    NoInterface.NEGATED: (
        "a name with its `!`, which turns a test round only as a word of its own",
        "write the `!` before the option, with a blank behind it",
    ),
    NoInterface.VARIABLE: (
        "the name itself, and no variable, where it stands between quotes",
        "write {interface} without the quotes, or fill it in before nft reads the file",
    ),
    NoInterface.UNNUMBERED: (
        "a name without the number that the kernel gives each of them",
        "write {interface}0, or a wildcard for all of them: `{interface}+`, in nft `{interface}*`",
    ),
}
"""What the word is, and what to do."""
