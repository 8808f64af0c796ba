"""What is said in the block of a chain or a set, and put into the table."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from iptlint.dialects.nft import tree as t
from iptlint.dialects.nft.execution import priorities
from iptlint.dialects.nft.tables import ElementsChange, OpenChain, OpenSet
from iptlint.model import Family

Refuse = Callable[[t.Node, str, str], None]
"""Reports what nft refuses: where it is, what was found, what to do."""


def take_hook(chain: OpenChain, hook: t.Hook, family: Family, refuse: Refuse) -> None:
    """The first declaration stands, and what it says last: nft refuses to make another of it."""
    if chain.settled:
        return
    others = () if chain.hook is not None and hook.devices is not None else chain.devices
    chain.hook = hook
    chain.devices = (*others, *device_names(hook.devices))
    chain.priority = 0
    if hook.priority is not None:
        number = priorities.number(hook.priority, family)
        chain.priority = number or 0
        if number is None:
            known = ", ".join(priorities.names(family))
            refuse(
                hook.priority,
                f"{family.value} chains have no priority of this name",
                f"write a number, or one of {known}, with + or - and a number",
            )


def device_names(devices: t.Expression | t.Element | None) -> Iterator[str]:
    match devices:
        case t.Value(text):
            yield text
        case t.SetLiteral(parts) | t.Listing(parts):
            for part in parts:
                yield from device_names(part)


UNREAD_POLICY = "unread"


def take_policy(chain: OpenChain, policy: t.Policy, refuse: Refuse) -> None:
    """What is no policy is kept: nobody knows then what becomes of what is left."""
    word = policy.policy.text if isinstance(policy.policy, t.Value) else ""
    chain.policy = word or UNREAD_POLICY
    if word not in ("accept", "drop"):
        refuse(policy, f"`{word}` is no policy of a chain", "write accept or drop")


def take_set_item(open_set: OpenSet, item: t.Item) -> None:
    match item:
        case t.KeyType() | t.KeyLike():
            open_set.type = open_set.type or item
        case t.Flags(flags):
            open_set.flags |= {flag.text for flag in flags}
            open_set.timeout |= "timeout" in open_set.flags
        case t.Property("timeout"):
            open_set.timeout = True
        case t.Elements(t.SetLiteral() as elements):
            open_set.changes.append(ElementsChange(True, elements))
