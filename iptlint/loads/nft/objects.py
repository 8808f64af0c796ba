"""Stateful objects, flowtables, and the flags of tables."""

from __future__ import annotations

from collections.abc import Sequence

from iptlint.dialects.nft import tree as t
from iptlint.dialects.nft.execution.state import BlockContext
from iptlint.loads.nft import checks
from iptlint.loads.nft.limits import BYTES, check_limit
from iptlint.loads.nft.state import KnownTable
from iptlint.loads.nft.trial import Trial
from iptlint.model import Family
from iptlint.model.numbers import c_number

Placed = tuple[t.Item, BlockContext]

TABLE_FLAGS = ("dormant", "owner", "persist")
_L4 = ("tcp", "udp")
_L3 = ("ip", "ip6", "inet", "arp", "bridge", "netdev")
_STATES = {
    "tcp": (
        *("syn_sent", "syn_recv", "established", "fin_wait", "close_wait", "last_ack"),
        *("time_wait", "close", "retrans", "unack"),
    ),
    "udp": ("unreplied", "replied"),
}
"""States that a timeout policy may name (src/rule.c, tcp_state_to_name and udp's)."""
_EXPECTS = ("protocol", "dport", "timeout", "size")
_BOTH = ("ip", "ip6")
_OF_CONNECTIONS = ("ct helper", "ct timeout", "ct expectation", "synproxy")
"""Objects that the kernel makes only where it tracks connections (nft_ct.c, nft_synproxy.c);
bridges do it by a module that not every kernel has."""
_WANTED: dict[str, tuple[type[t.Node], str, str]] = {
    "limit": (t.Limit, "rate", "rate 10/second"),
    "ct helper": (t.HelperType, "type", 'type "ftp" protocol tcp'),
    "secmark": (t.Value, "context", '"system_u:object_r:ssh_server_packet_t:s0"'),
}
"""What the kernel does not make an object without, and how it is written."""


def check_quota(
    trial: Trial, quota: t.Quota, where: BlockContext, name: t.Value | None = None
) -> None:
    """nft_quota.c, nft_quota_do_init: as much as all of it may be used, and no more. ``name``: that
    of the object, which the kernel refuses as one."""
    if quota.used is None or quota.used_unit is None:
        return
    amount, used = c_number(quota.amount.text), c_number(quota.used.text)
    units = BYTES.get(quota.unit), BYTES.get(quota.used_unit)
    if amount is None or used is None or None in units:
        return
    if used * BYTES[quota.used_unit] > amount * BYTES[quota.unit]:
        cause = "more is used than the quota has"
        mend = "write a larger quota, or less as used"
        trial.refuse(checks.INVALID, where, name or quota, cause, mend)


_WITH_CONTENTS = (
    *("quota", "limit", "synproxy", "secmark", "flowtable"),
    *("ct helper", "ct timeout", "ct expectation"),
)


def check_counting(
    trial: Trial, table: KnownTable, counting: object, where: BlockContext, node: t.Node
) -> None:
    """A count of connections is for families that see some."""
    if isinstance(counting, t.ConnectionLimit) and table.family in (Family.ARP, Family.NETDEV):
        cause = f"{table.family.value} tables see no connections to count"
        trial.refuse(checks.NO_TRACKING, where, node, cause, "move the rule to an inet table")


def _has(body: list[Placed], name: str) -> bool:
    return any(isinstance(item, t.Property) and item.name == name for item, _ in body)


def _l3proto(body: list[Placed]) -> str | None:
    word = {item.name: item.value for item, _ in body if isinstance(item, t.Property)}.get(
        "l3proto"
    )
    return word.text if isinstance(word, t.Value) else None


class ObjectTrial:
    def __init__(self, trial: Trial) -> None:
        self._trial = trial

    def table_flags(self, flags: Sequence[t.Value], context: BlockContext) -> None:
        """nft looks at none of them in JSON, and prints one wrongly itself (1.0.6)."""
        if self._trial.json:
            return
        check = checks.TABLE_FLAG
        self._trial.refuse_unknown_flags(check, context, flags, TABLE_FLAGS, "table")

    def define(
        self, table: KnownTable, command: t.Command, body: list[Placed], context: BlockContext
    ) -> None:
        """An object declared, perhaps again."""
        protocol: str | None = None
        for item, where in body:
            match item:
                case t.HelperType(_, word):
                    self._one_of(word, _L4, where)
                case t.Property("protocol", t.Value() as word):
                    self._one_of(word, _L4, where)
                    protocol = word.text
                case t.Property("l3proto", t.Value() as word):
                    self._one_of(word, _L3, where)
                case t.TimeoutPolicy(timeouts):
                    self._states(timeouts, protocol, where)
                case t.Quota():
                    check_quota(self._trial, item, where, command.path[-1])
                case t.Limit():
                    check_limit(self._trial, where, item, command.path[-1])
                case _ if command.kind == "flowtable":
                    self._flowtable(item, where)
        self._whole(table, command, body, context)

    def _flowtable(self, item: t.Item, where: BlockContext) -> None:
        match item:
            case t.Flags(flags):
                check = checks.SYNTAX
                self._trial.refuse_unknown_flags(check, where, flags, ("offload",), "flowtable")
            case t.Devices(t.SetLiteral(())) if not self._trial.json:
                cause, mend = "there are no devices between the braces", "delete `devices`"
                self._trial.refuse(checks.SYNTAX, where, item, cause, mend)
            case t.Hook(None, hook) if hook.text not in ("ingress", "egress"):
                cause = f"`{hook.text}` is no hook of a flowtable"
                self._trial.refuse(checks.HOOK, where, hook, cause, "write ingress")

    def _whole(
        self, table: KnownTable, command: t.Command, body: list[Placed], context: BlockContext
    ) -> None:
        """What the kernel does not make an object without."""
        name = command.path[-1]
        if command.body is None and command.kind in _WITH_CONTENTS and not self._trial.json:
            cause = f"nothing says what the {command.kind} {name.text} is"
            self._trial.refuse(checks.SYNTAX, context, name, cause, "write what it is in { … }")
            return
        if command.kind == "ct timeout" and not _has(body, "protocol"):
            cause = f"the ct timeout {name.text} has no protocol"
            self._trial.refuse(checks.NO_KIND, context, name, cause, "write `protocol tcp`")
        wanted = _WANTED.get(command.kind)
        if wanted is not None and not any(isinstance(item, wanted[0]) for item, _ in body):
            cause = f"the {command.kind} {name.text} has no {wanted[1]}"
            self._trial.refuse(checks.INVALID, context, name, cause, f"write `{wanted[2]}`")
        if command.kind in _OF_CONNECTIONS and table.family in (Family.ARP, Family.NETDEV):
            cause = f"{table.family.value} tables see no connections, which a {command.kind} needs"
            mend = "move it to an inet table"
            self._trial.refuse(checks.NO_TRACKING, context, name, cause, mend)
        if command.kind == "ct expectation":
            self._expectation(command, body, context)
        if command.kind in ("ct expectation", "ct helper"):
            self._family(table, command, body, context)

    def _one_of(self, word: t.Value, words: tuple[str, ...], where: BlockContext) -> None:
        if word.text not in words:
            cause = f"`{word.text}` cannot stand here"
            mend = f"write {' or '.join(words)}"
            self._trial.refuse(checks.HELPER_PROTOCOL, where, word, cause, mend)

    def _states(
        self, timeouts: Sequence[t.StateTimeout], protocol: str | None, where: BlockContext
    ) -> None:
        states = _STATES.get(protocol or "")
        for each in timeouts:
            if states is not None and each.state.text not in states:
                cause = f"{protocol} has no state {each.state.text}"
                mend = f"write one of {', '.join(states)}"
                self._trial.refuse(checks.TIMEOUT_STATE, where, each.state, cause, mend)

    def _family(
        self, table: KnownTable, command: t.Command, body: list[Placed], context: BlockContext
    ) -> None:
        """net/netfilter/nft_ct.c: an expectation is of one protocol, a helper may be of both."""
        word, own = _l3proto(body), table.family.value
        name, is_helper = command.path[-1], command.kind == "ct helper"
        known = word or own
        if word == "arp" or (not is_helper and known not in _BOTH):
            cause = f"the {command.kind} {name.text} is of {known}: connections are of ip or of ip6"
            mend = "write `l3proto ip`, or ip6"
            self._trial.refuse(checks.NO_FAMILY, context, name, cause, mend)
            return
        others = _BOTH if is_helper else tuple(set(_L3) - {"inet"})
        if known in _BOTH and known != own and own in others:
            cause = f"{own} tables see no connections of {word}"
            self._trial.refuse(checks.INVALID, context, name, cause, "move it to an inet table")

    def _expectation(self, command: t.Command, body: list[Placed], context: BlockContext) -> None:
        named = {item.name for item, _ in body if isinstance(item, t.Property)}
        lacking = [word for word in _EXPECTS if word not in named]
        if lacking:
            cause = f"the expectation does not say its {' and '.join(lacking)}"
            self._trial.refuse(
                checks.EXPECTATION, context, command.path[-1], cause, "add what is missing"
            )
