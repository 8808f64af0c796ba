"""Stateful objects, flowtables, and the flags of tables."""

from __future__ import annotations

from collections.abc import Sequence

from iptlint.dialects.nft import tree as t
from iptlint.dialects.nft.execution.state import BlockContext
from iptlint.loads.nft import checks
from iptlint.loads.nft.state import KnownTable
from iptlint.loads.nft.trial import Trial

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


class ObjectTrial:
    def __init__(self, trial: Trial) -> None:
        self._trial = trial

    def table_flags(self, flags: Sequence[t.Value], context: BlockContext) -> None:
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
                case t.Hook(None, hook) if hook.text not in ("ingress", "egress"):
                    cause = f"`{hook.text}` is no hook of a flowtable"
                    self._trial.refuse(checks.HOOK, where, hook, cause, "write ingress")
        if command.kind == "limit" and not any(isinstance(item, t.Limit) for item, _ in body):
            cause = f"the limit {command.path[-1].text} has no rate"
            mend = "write `rate 10/second`"
            self._trial.refuse(checks.INVALID, context, command.path[-1], cause, mend)
        if command.kind == "ct expectation":
            self._expectation(command, body, context)

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

    def _expectation(self, command: t.Command, body: list[Placed], context: BlockContext) -> None:
        named = {item.name for item, _ in body if isinstance(item, t.Property)}
        lacking = [word for word in _EXPECTS if word not in named]
        if lacking:
            cause = f"the expectation does not say its {' and '.join(lacking)}"
            self._trial.refuse(
                checks.EXPECTATION, context, command.path[-1], cause, "add what is missing"
            )
