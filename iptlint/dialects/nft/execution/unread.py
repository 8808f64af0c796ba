"""What is left open where a statement could not be read."""

from __future__ import annotations

import re

from iptlint.dialects.nft.execution import unparsed
from iptlint.dialects.nft.execution.properties import UNREAD_POLICY, take_hook
from iptlint.dialects.nft.execution.state import Key, State, TableWork
from iptlint.dialects.nft.execution.unparsed import UnparsedFragment, unread_rule
from iptlint.dialects.nft.tables import OpenChain, OpenTable
from iptlint.model import Family
from iptlint.source import WholeOrigin

_SETS = ("set", "map")
_SOME_POLICY = re.compile(r"\bpolicy\s+(?!accept\b|drop\b)\S")


def leave_chain_open(work: TableWork, chain: OpenChain, fragment: UnparsedFragment) -> None:
    """A rule, or what makes the chain one of a hook."""
    hook = unparsed.hook(fragment)
    if hook is not None:
        take_hook(chain, hook, work.table.family, lambda *_: None)
    if _SOME_POLICY.search(fragment.text):
        chain.policy = UNREAD_POLICY
    work.rules_of(chain).append(unread_rule(fragment.source, fragment.start, fragment.end))


def leave_table_open(state: State, work: TableWork, fragment: UnparsedFragment) -> None:
    """A declaration; one of nobody knows what may be of anything that is used later."""
    header = unparsed.header(fragment)
    if header is not None:
        _leave_object_open(work, *header, fragment)
    elif unparsed.define(fragment) is None:
        state.missing = True


def leave_command_open(state: State, fragment: UnparsedFragment) -> None:
    """A command at the top; what it is about is found by its first words."""
    command = unparsed.command(fragment)
    rule = unparsed.bare_rule(fragment)
    if command is not None and command["verb"] in ("delete", "destroy"):
        return
    if command is not None:
        work = state.table(_key(command), _origin(fragment))
        _leave_object_open(work, command["kind"], command["name"], fragment)
    elif rule is not None and _has_chain(state, rule):
        _leave_object_open(state.tables[_key(rule)], "rule", rule["name"], fragment)
    elif unparsed.define(fragment) is None:
        state.missing = True


def _has_chain(state: State, rule: re.Match[str]) -> bool:
    work = state.tables.get(_key(rule))
    return work is not None and rule["name"] in work.table.chains


def _key(command: re.Match[str]) -> Key:
    return Family(command["family"] or "ip"), command["table"]


def open_to_anything(table: OpenTable) -> None:
    """Rules and elements are missing that may be of any chain and any set."""
    for chain in table.chains.values():
        chain.rules.insert(0, unread_rule(chain.origin.source, 0, 0))
    for open_set in table.sets.values():
        open_set.updated = True


def _leave_object_open(work: TableWork, kind: str, name: str, fragment: UnparsedFragment) -> None:
    """A command about it, or its block, is lost: nothing sure is known of it any more."""
    if kind in _SETS:
        work.add_set(kind, name, _origin(fragment)).updated = True
    elif kind == "element" and name in work.table.sets:
        work.table.sets[name].updated = True
    elif kind in ("chain", "rule"):
        chain = work.add_chain(name, _origin(fragment), declared=kind == "chain")
        hook = unparsed.hook(fragment) if kind == "chain" else None
        if hook is not None:
            take_hook(chain, hook, work.table.family, lambda *_: None)
        rules = work.rules_of(chain)
        at_front = fragment.text.startswith(("insert", "replace"))
        put = rules.prepend if at_front else rules.append
        put(unread_rule(fragment.source, fragment.start, fragment.end))


def _origin(fragment: UnparsedFragment) -> WholeOrigin:
    return WholeOrigin(fragment.source, fragment.start, fragment.end)
