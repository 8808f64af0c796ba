"""What somebody should know who puts the new rules in the place of the old ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from iptlint.convert.rendering import NewTable, Words
from iptlint.model import Ruleset
from iptlint.model.ownership import is_generated, owner_of_chain


def notes(tables: Sequence[NewTable]) -> Iterator[str]:
    """A sentence each."""
    yield from _of_software(tables)
    yield from _renamed(tables)
    if any(any("meta day " in word for word in words) for words in _lines(tables)):
        yield (
            "iptables counts weekdays in UTC, nft in the time zone of the kernel: that is the same "
            "where the clock of the host runs in UTC"
        )
    if any(name.startswith("recent_") for table in tables for _, name in table.declared):
        yield (
            "the match recent keeps 100 addresses (its ip_list_tot) and forgets the oldest; the "
            "sets that stand for it keep 65535"
        )


def _of_software(tables: Sequence[NewTable]) -> Iterator[str]:
    by_owner: dict[str, list[str]] = {}
    for table in tables:
        (old, *_) = table.olds.values()
        for chain in table.chains:
            name = chain.base.name
            owner = owner_of_chain(old, name)
            if owner is not None and is_generated(old, name) and chain.entries:
                by_owner.setdefault(owner.name, []).append(name)
    for owner_name, names in by_owner.items():
        shown = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
        yield (
            f"{owner_name} writes these chains itself, each time it starts, and goes on to do so "
            f"with iptables: {shown}; leave them out (--ignore-chains) if it stays"
        )


def _renamed(tables: Sequence[NewTable]) -> Iterator[str]:
    for table in tables:
        for chain in table.chains:
            if chain.renamed:
                yield f"the chain {chain.renamed} is called {chain.name}: its name is none to nft"


def translated_to_sockets(ruleset: Ruleset) -> bool:
    """Whether local sockets decide what becomes of packets, so that nobody can follow them."""
    return any(rule.verdict.name == "TPROXY" for _, _, rule in ruleset.rules())


def _lines(tables: Sequence[NewTable]) -> Iterator[Words]:
    return (
        words
        for table in tables
        for chain in table.chains
        for entry in chain.entries
        for words in entry.lines
    )
