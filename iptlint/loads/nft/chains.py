"""Chains: what a base chain may be, by family, hook, type and priority."""

from __future__ import annotations

from iptlint.dialects.nft import tree as t
from iptlint.dialects.nft.execution import priorities
from iptlint.dialects.nft.execution.properties import device_names
from iptlint.dialects.nft.execution.state import BlockContext
from iptlint.loads.nft import checks
from iptlint.loads.nft.features import NO_DEVICE
from iptlint.loads.nft.state import KnownChain, KnownTable
from iptlint.loads.nft.table_flags import check_new_chain
from iptlint.loads.nft.trial import Trial
from iptlint.model import Family
from iptlint.model.numbers import is_decimal

Placed = tuple[t.Item, BlockContext]

_IP = ("prerouting", "input", "forward", "output", "postrouting")
HOOKS = {
    Family.IP: _IP,
    Family.IP6: _IP,
    Family.BRIDGE: _IP,
    Family.INET: (*_IP, "ingress"),
    Family.ARP: ("input", "forward", "output"),
    Family.NETDEV: ("ingress", "egress"),
}
"""Hooks that nft has a number for (src/evaluate.c, str2hooknum)."""

TYPES = ("filter", "nat", "route")

_ROUTED = (Family.IP, Family.IP6, Family.INET)
_OF_TYPE = {
    "nat": (_ROUTED, ("prerouting", "input", "output", "postrouting")),
    "route": (_ROUTED, ("output",)),
}
"""Families and hooks of the types that not every chain may have: net/netfilter/nft_chain_nat.c,
nft_chain_route.c."""

_AT = {
    "dstnat": ("prerouting", "output"),
    "srcnat": ("postrouting", "input"),
}
_AT_BRIDGE = {"dstnat": ("prerouting",), "out": ("output",), "srcnat": ("postrouting",)}
"""The hooks where a priority has that name; ``filter`` and those between are of every hook
(src/rule.c, std_prio_family_hook_compat)."""
_CONNTRACK = -200


class ChainTrial:
    def __init__(self, trial: Trial) -> None:
        self._trial = trial

    def define(
        self, table: KnownTable, command: t.Command, body: list[Placed], context: BlockContext
    ) -> None:
        """A chain declared, perhaps again; the name is known to the table."""
        chain = table.chains[command.path[-1].text]
        hooks = [(item, where) for item, where in body if isinstance(item, t.Hook)]
        policies = [(item, where) for item, where in body if isinstance(item, t.Policy)]
        for hook, where in hooks[-1:]:
            check_new_chain(self._trial, table, chain, context, command.path[-1])
            self._hook(table, chain, hook, where)
        chain.defined = True
        for flags, where in ((item, where) for item, where in body if isinstance(item, t.Flags)):
            check = checks.SYNTAX
            self._trial.refuse_unknown_flags(check, where, flags.flags, ("offload",), "chain")
        self._policies(chain, policies, bool(hooks) or chain.hook is not None)

    def _policies(
        self, chain: KnownChain, policies: list[tuple[t.Policy, BlockContext]], based: bool
    ) -> None:
        for policy, where in policies:
            word = policy.policy.text if isinstance(policy.policy, t.Value) else ""
            if word not in ("accept", "drop"):
                cause, mend = f"`{word}` is no policy of a chain", "write accept or drop"
                self._trial.refuse(checks.POLICY, where, policy, cause, mend)
            elif not based:
                cause = f"chain {chain.name} has no hook, so it has no policy"
                mend = "give it a type, a hook and a priority, or delete the policy"
                self._trial.refuse(checks.INVALID, where, policy, cause, mend)
            chain.policy = word
        for policy, where in policies[1:]:
            cause = "a chain has one policy, and it has been given"
            self._trial.refuse(checks.POLICY_TWICE, where, policy, cause, "delete this one")

    # -- hooks -------------------------------------------------------------------------------

    def _hook(
        self, table: KnownTable, chain: KnownChain, hook: t.Hook, where: BlockContext
    ) -> None:
        family = table.family
        type_ = hook.type.text if hook.type else "filter"
        if type_ not in TYPES:
            assert hook.type is not None
            cause = f"`{type_}` is no type of a chain"
            self._trial.refuse(
                checks.CHAIN_TYPE, where, hook.type, cause, "write filter, nat or route"
            )
            return
        if hook.hook.text not in HOOKS[family]:
            known = ", ".join(HOOKS[family])
            cause = f"chains of family {family.value} have no hook {hook.hook.text}"
            self._trial.refuse(checks.HOOK, where, hook.hook, cause, f"write one of {known}")
            return
        number = self._priority(table, hook, where)
        self._devices(table, hook, where)
        self._type(table, hook, type_, number, where)
        devices = frozenset(device_names(hook.devices))
        self._again(chain, hook, type_, number, devices, where)

    def _priority(self, table: KnownTable, hook: t.Hook, where: BlockContext) -> int | None:
        if hook.priority is None:
            return None
        number = priorities.number(hook.priority, table.family)
        name = _name_of(hook.priority)
        at = hook.hook.text
        if number is None or not _is_at(name, table.family, at):
            known = [
                each for each in priorities.names(table.family) if _is_at(each, table.family, at)
            ]
            self._trial.refuse(
                checks.PRIORITY,
                where,
                hook.priority,
                f"{table.family.value} chains at {at} have no priority named {name or 'so'}",
                f"write a number, or {' or '.join(known)}, with + or - and a number",
            )
        return number

    def _devices(self, table: KnownTable, hook: t.Hook, where: BlockContext) -> None:
        bound = table.family is Family.NETDEV or hook.hook.text == "ingress"
        if bound and hook.devices is None:
            self._trial.lacks(NO_DEVICE, where, hook)
        elif not bound and hook.devices is not None:
            cause = f"a chain at {hook.hook.text} sees the packets of all devices"
            mend = "delete the device, and test iifname in its rules"
            self._trial.refuse(checks.NO_DEVICE, where, hook.devices, cause, mend)

    def _type(
        self,
        table: KnownTable,
        hook: t.Hook,
        type_: str,
        priority: int | None,
        where: BlockContext,
    ) -> None:
        families, hooks = _OF_TYPE.get(type_, (tuple(Family), HOOKS[table.family]))
        at = hook.hook.text
        node = hook.type or hook
        if table.family not in families:
            cause = f"the kernel has no chains of type {type_} for family {table.family.value}"
            self._trial.refuse(checks.MISSING, where, node, cause, "write type filter")
        elif at not in hooks or (table.family is Family.ARP and at == "forward"):
            cause = f"there are no chains of type {type_} at {at}"
            places = " or ".join(hooks)
            mend = f"write type filter, or one of these hooks: {places}"
            self._trial.refuse(checks.CHAIN_OF_FAMILY, where, node, cause, mend)
        elif type_ == "nat" and priority is not None and priority <= _CONNTRACK:
            cause = f"a nat chain comes after connection tracking at {_CONNTRACK}"
            mend = "write dstnat or srcnat"
            self._trial.refuse(checks.NAT_EARLY, where, hook.priority or hook, cause, mend)

    def _again(
        self,
        chain: KnownChain,
        hook: t.Hook,
        type_: str,
        priority: int | None,
        devices: frozenset[str],
        where: BlockContext,
    ) -> None:
        """The kernel makes no other chain of one that is there."""
        same = (chain.hook, chain.type, chain.priority) == (hook.hook.text, type_, priority)
        other = chain.hook is not None and not same and priority is not None
        if other or (chain.hook is None and chain.defined):
            cause = f"chain {chain.name} is there already, with other terms"
            mend = "delete the chain first, or repeat what it was declared with"
            self._trial.refuse(checks.EXISTS, where, hook, cause, mend)
            return
        chain.hook, chain.type, chain.priority = hook.hook.text, type_, priority
        chain.devices |= devices


def _name_of(priority: t.Priority) -> str:
    """The word of it; a variable may hold all of it in one string."""
    text = priority.base.text if isinstance(priority.base, t.Value) else ""
    return next((word for word in text.replace("+", " ").replace("-", " ").split()), "")


def _is_at(name: str, family: Family, hook: str) -> bool:
    if not name or is_decimal(name) or name == "filter":
        return True
    if family is Family.BRIDGE:
        return hook in _AT_BRIDGE.get(name, ())
    return family in _ROUTED and (name not in _AT or hook in _AT[name])
