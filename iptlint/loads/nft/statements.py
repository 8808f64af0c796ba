"""The statements of a rule, beside its tests: what nft and the kernel ask of each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from iptlint.dialects.nft import tree as t
from iptlint.dialects.nft.execution.state import BlockContext
from iptlint.loads.nft import checks
from iptlint.loads.nft.places import NATS, SET_PKTTYPE, STATEMENTS
from iptlint.loads.nft.selectors import SelectorTrial
from iptlint.loads.nft.state import KnownChain, KnownSet, KnownTable, PlacedStatement
from iptlint.loads.nft.trial import Trial
from iptlint.loads.refusal import Check
from iptlint.model import Family
from iptlint.model.numbers import c_number

_ROUTED = (Family.IP, Family.IP6, Family.INET)
_NETWORKS = {Family.IP: "ip", Family.IP6: "ip6"}
_LONGEST_PREFIX = 127
"""Octets of a log prefix (NF_LOG_PREFIXLEN with its zero)."""
_LEVELS = (*("emerg", "alert", "crit", "err", "warn", "notice", "info", "debug", "audit"),)


def is_terminal(statement: t.Node) -> bool:
    """Whether nft lets nothing stand behind it."""
    match statement:
        case t.Verdict(name):
            return name != "continue"
        case t.Reject() | t.Nat() | t.Fwd() | t.Queue():
            return True
    return False


class StatementTrial:
    """Of one rule."""

    def __init__(
        self,
        trial: Trial,
        table: KnownTable,
        chain: KnownChain,
        context: BlockContext,
        selectors: SelectorTrial,
    ) -> None:
        self._trial = trial
        self._table = table
        self._chain = chain
        self._context = context
        self._selectors = selectors

    @property
    def _family(self) -> Family:
        return self._table.family

    def check(self, statement: t.Node) -> None:
        row = STATEMENTS.get(type(statement))
        if row is not None:
            self._place(statement, *row)
        handler = _HANDLERS.get(type(statement))
        if handler is not None:
            handler(self, statement)

    def _place(self, node: t.Node, word: str, place: Any) -> None:
        self._chain.placed.append(PlacedStatement(word, place, node, self._context))

    def _refuse(self, check: Check, node: t.Node, cause: str, mend: str) -> None:
        self._trial.refuse(check, self._context, node, cause, mend)

    # -- translations --------------------------------------------------------------------------

    def _nat(self, statement: t.Nat) -> None:
        place = NATS.get(statement.name)
        if place is not None:
            self._place(statement, statement.name, place)
        if self._family not in _ROUTED:
            cause = f"{self._family.value} tables translate nothing: {statement.name} is refused"
            self._refuse(
                checks.NAT_FAMILY, statement, cause, "write it in a table of ip, ip6 or inet"
            )
            return
        if statement.address is not None:
            self._nat_family(statement)

    def check_port(self, statement: t.Nat) -> None:
        """Once the address has been read, whose tests may tell the protocol."""
        if self._family not in _ROUTED:
            return
        if statement.port is not None and self._selectors.protocols.transport is None:
            self._no_port(statement, statement.port)
        elif isinstance(statement.address, t.Concat) and not self._selectors.protocols.transport:
            self._no_port(statement, statement.address)

    def _no_port(self, statement: t.Nat, port: t.Node) -> None:
        cause = f"{statement.name} to a port needs a protocol that has ports"
        mend = "test tcp dport, or meta l4proto, before it"
        self._refuse(checks.NAT_PORT, port, cause, mend)

    def _nat_family(self, statement: t.Nat) -> None:
        """It has to be known of which family the address is, and the right one."""
        network = self._selectors.protocols.network
        family = statement.family or _NETWORKS.get(self._family)
        if family is None and network in ("ip", "ip6"):
            family = network
        name = statement.name
        if family is None:
            if isinstance(statement.address, t.Lookup):
                return
            cause = f"an inet table translates IPv4 and IPv6: say which {name} is for"
            mend = f"write `{name} ip to …` or `{name} ip6 to …`"
            self._refuse(checks.NAT_ADDRESS, statement, cause, mend)
            return
        if network in ("ip", "ip6") and network != family:
            cause = f"the rule is about {network}, and {name} is for {family}"
            self._refuse(checks.PROTOCOL, statement, cause, f"write {name} {network}")

    def _tproxy(self, statement: t.Tproxy) -> None:
        if self._family not in _ROUTED:
            cause = (
                f"tproxy is for ip, ip6 and inet tables, and this is one of {self._family.value}"
            )
            self._refuse(checks.TPROXY, statement, cause, "move the rule to an inet table")
            return
        if self._selectors.protocols.transport is None:
            cause = "tproxy needs a test of the transport protocol before it"
            self._refuse(checks.TPROXY_PORT, statement, cause, "write meta l4proto { tcp, udp }")
            return
        network = self._selectors.protocols.network
        if statement.family and network in ("ip", "ip6") and network != statement.family:
            cause = f"the rule is about {network}, and tproxy is for {statement.family}"
            self._refuse(checks.PROTOCOL, statement, cause, f"write tproxy {network}")
        elif self._family is Family.INET and statement.address and statement.family is None:
            self._nat_family_of_tproxy(statement)

    def _nat_family_of_tproxy(self, statement: t.Tproxy) -> None:
        cause = "an inet table sees IPv4 and IPv6: say which tproxy is for"
        self._refuse(
            checks.NAT_ADDRESS, statement, cause, "write `tproxy ip to …` or `tproxy ip6 to …`"
        )

    # -- reject --------------------------------------------------------------------------------

    def _reject(self, statement: t.Reject) -> None:
        network = self._selectors.protocols.network
        transport = self._selectors.protocols.transport
        if self._family is Family.ARP:
            cause = "nothing rejects a packet of arp"
            self._refuse(checks.REJECT, statement, cause, "write drop")
        elif statement.protocol == "tcp":
            if transport not in (None, "tcp"):
                cause = f"a reset is of tcp, and the rule is about {transport}"
                self._refuse(checks.REJECT, statement, cause, "write reject")
        elif statement.protocol == "icmpx":
            if self._family in _NETWORKS:
                cause = f"icmpx is for tables of IPv4 and IPv6, and this is an {network} table"
                mend = f"write reject with {_ICMP[network or 'ip']} type …"
                self._refuse(checks.REJECT, statement, cause, mend)
        elif statement.protocol in _OF_ICMP:
            wanted = _OF_ICMP[statement.protocol]
            if network in ("ip", "ip6") and network != wanted:
                cause = f"{statement.protocol} is of {wanted}, and the rule is about {network}"
                self._refuse(
                    checks.REJECT, statement, cause, f"write reject with {_ICMP[network]} type …"
                )
        if self._family in (Family.BRIDGE, Family.NETDEV) and network == "arp":
            cause = "nothing rejects a packet of arp"
            self._refuse(checks.REJECT, statement, cause, "write drop")

    # -- others --------------------------------------------------------------------------------

    def _log(self, statement: t.Log) -> None:
        level = statement.level.text if statement.level else None
        grouped = (statement.group, statement.snaplen, statement.queue_threshold)
        if any(grouped) and level is not None:
            cause = "a group is for programs, and a level for the kernel's log: only one of them"
            self._refuse(checks.LOG_OPTIONS, statement, cause, "delete the group or the level")
        elif any(grouped) and statement.flags:
            cause = "flags are for the kernel's log, and a group is for programs: only one of them"
            self._refuse(checks.LOG_OPTIONS, statement, cause, "delete the group or the flags")
        elif level == "audit" and (statement.prefix or statement.flags):
            cause = "log level audit takes nothing else"
            self._refuse(checks.LOG_OPTIONS, statement, cause, "delete the rest")
        if level is not None and level not in _LEVELS:
            assert statement.level is not None
            cause = f"`{level}` is no log level"
            self._refuse(
                checks.LOG_LEVEL, statement.level, cause, f"write one of {', '.join(_LEVELS)}"
            )
        if isinstance(statement.prefix, t.Value):
            self._prefix(statement, statement.prefix)

    def _prefix(self, statement: t.Log, prefix: t.Value) -> None:
        length = len(prefix.text.encode(errors="surrogateescape"))
        if length > _LONGEST_PREFIX:
            cause = f"the log prefix has {length} octets: at most {_LONGEST_PREFIX} fit"
            self._refuse(checks.LOG_PREFIX, statement, cause, "write a shorter prefix")

    def _queue(self, statement: t.Queue) -> None:
        several = statement.target is None or isinstance(statement.target, t.Range)
        if "fanout" in statement.flags and not several:
            cause = "fanout spreads packets over several queues, and there is one"
            self._refuse(checks.FANOUT, statement, cause, "write a range of queues: 0-3")

    def _dup(self, statement: t.Dup) -> None:
        if self._family not in (Family.IP, Family.IP6, Family.NETDEV):
            self._unsupported(statement, "dup", "ip, ip6 and netdev")
        elif self._family is Family.NETDEV and statement.device is not None:
            cause = "in a netdev table dup names the device, and nothing else"
            self._refuse(checks.FAMILY, statement, cause, "write `dup to eth1`")
        elif self._family is Family.NETDEV:
            self._place(statement, "dup", STATEMENTS[t.Fwd][1])

    def _fwd(self, statement: t.Fwd) -> None:
        if self._family is not Family.NETDEV:
            self._unsupported(statement, "fwd", "netdev")

    def _unsupported(self, statement: t.Node, word: str, families: str) -> None:
        cause = f"{word} is for tables of {families}, and this is one of {self._family.value}"
        self._refuse(checks.FAMILY, statement, cause, f"move the rule to one of {families}")

    def _synproxy(self, statement: t.Synproxy) -> None:
        if self._family not in _ROUTED:
            cause = f"{self._family.value} tables see no connections, which synproxy needs"
            self._refuse(checks.NO_TRACKING, statement, cause, "move the rule to an inet table")

    def _connection_limit(self, statement: t.ConnectionLimit) -> None:
        if self._family not in (*_ROUTED, Family.BRIDGE):
            cause = f"{self._family.value} tables see no connections to count"
            self._refuse(checks.NO_TRACKING, statement, cause, "move the rule to an inet table")

    def _foreign(self, statement: t.Foreign) -> None:
        cause = f"`xt {statement.kind} {statement.name}` is how nft prints what iptables-nft made"
        mend = "save these rules with iptables-save, and load them with iptables-restore"
        self._refuse(checks.XT, statement, cause, mend)

    def _object(self, statement: t.ObjectUse) -> None:
        match statement.name:
            case t.Value() as name:
                self.check_object(statement.kind, name)
            case t.Lookup(_, t.SetLiteral(elements)):
                for element in elements:
                    if isinstance(element, t.Element) and isinstance(element.data, t.Value):
                        self.check_object(statement.kind, element.data)

    def check_object(self, kind: str, name: t.Value) -> None:
        if (kind, name.text) not in self._table.objects:
            table = self._table
            cause = f"there is no {kind} {name.text} in table {table.family.value} {table.name}"
            mend = f"declare it: `{kind} {name.text} {{ … }}`"
            self._trial.refuse(
                checks.MISSING, self._context, name, cause, mend, missing=not table.whole
            )

    def _limit(self, statement: t.Limit) -> None:
        if c_number(statement.rate.text) == 0:
            cause = "a limit of nothing is none"
            self._refuse(checks.INVALID, statement.rate, cause, "write a number above 0")
        units = (statement.unit, statement.burst_unit)
        if statement.per not in _PER:
            cause = f"`{statement.per}` is no time that a limit counts in"
            self._refuse(checks.UNIT, statement, cause, f"write one of {', '.join(_PER)}")
        elif any(unit not in (None, *_UNITS, "packets") for unit in units):
            cause = "a limit counts packets or bytes"
            self._refuse(checks.UNIT, statement, cause, f"write one of {', '.join(_UNITS)}")

    def _quota(self, statement: t.Quota) -> None:
        if any(unit not in (None, *_UNITS) for unit in (statement.unit, statement.used_unit)):
            cause = "a quota counts bytes"
            self._refuse(checks.UNIT, statement, cause, f"write one of {', '.join(_UNITS)}")

    def _flow(self, statement: t.FlowAdd) -> None:
        self.check_object("flowtable", statement.flowtable)

    # -- what is written, and sets that rules change -------------------------------------------

    def check_target(self, target: t.Selector) -> None:
        match target:
            case t.Meta("pkttype"):
                self._place(target, "meta pkttype set", SET_PKTTYPE)
            case t.Meta(key) if key not in _WRITTEN_META:
                self._read_only(target, f"meta {key}")
            case t.Ct(key) if key not in _WRITTEN_CT:
                self._read_only(target, f"ct {key}")

    def _read_only(self, target: t.Selector, word: str) -> None:
        cause = f"{word} can be read, and not set"
        self._refuse(checks.READ_ONLY, target, cause, "delete the statement")

    def check_update(self, statement: t.SetUpdate, known: KnownSet) -> None:
        element = statement.element
        extras = element.extras if isinstance(element, t.Element) else ()
        if "interval" in known.flags and known.declared is not None and not known.is_map:
            cause = f"{known.name} holds intervals, and a rule adds to it: no set does both"
            mend = "delete `flags interval`, or add elements to it by commands only"
            self._trial.refuse(checks.SET_KIND, known.declared[1], known.declared[0], cause, mend)
        timed = any(isinstance(each, t.Timing) for each in extras)
        if timed and not known.timeout:
            cause = f"{known.name} keeps its elements for ever, and this one has a timeout"
            mend = f"add `flags dynamic,timeout;` to the declaration of {known.name}"
            self._refuse(checks.TIMEOUT_FLAG, statement, cause, mend)
        if "constant" in known.flags:
            cause = f"{known.name} is constant, and a rule changes it"
            self._refuse(checks.CONSTANT_SET, statement, cause, "delete the flag constant")


_PER = ("second", "minute", "hour", "day", "week")
_UNITS = ("bytes", "kbytes", "mbytes")
_WRITTEN_META = frozenset(
    ("mark", "priority", "nftrace", "pkttype", "secmark", "broute", "ibrhwaddr", "ibrhwdr")
)
_WRITTEN_CT = frozenset(
    ("mark", "event", "secmark", "label", "zone", "helper", "timeout", "expectation")
)

OBJECTS_OF: dict[t.Node, str] = {
    t.Ct("helper"): "ct helper",
    t.Ct("timeout"): "ct timeout",
    t.Ct("expectation"): "ct expectation",
    t.Meta("secmark"): "secmark",
}
"""What is given to a packet by its name in the table."""

_OF_ICMP = {"icmp": "ip", "icmpv6": "ip6"}
_ICMP = {"ip": "icmp", "ip6": "icmpv6"}

_HANDLERS: dict[type[t.Node], Callable[[StatementTrial, Any], None]] = {
    t.Nat: StatementTrial._nat,
    t.Tproxy: StatementTrial._tproxy,
    t.Reject: StatementTrial._reject,
    t.Log: StatementTrial._log,
    t.Queue: StatementTrial._queue,
    t.Dup: StatementTrial._dup,
    t.Fwd: StatementTrial._fwd,
    t.Synproxy: StatementTrial._synproxy,
    t.ConnectionLimit: StatementTrial._connection_limit,
    t.Foreign: StatementTrial._foreign,
    t.ObjectUse: StatementTrial._object,
    t.FlowAdd: StatementTrial._flow,
    t.Limit: StatementTrial._limit,
    t.Quota: StatementTrial._quota,
}
