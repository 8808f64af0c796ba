"""The statements of a rule, beside its tests: what nft and the kernel ask of each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from iptlint.dialects.nft import tree as t
from iptlint.dialects.nft.lowering import datatypes as d
from iptlint.dialects.nft.lowering.hook_restrictions import LONGEST_PREFIX, STATEMENTS
from iptlint.dialects.nft.parsing.reserved import OF_EVERY_NFT
from iptlint.loads.nft import checks
from iptlint.loads.nft.features import (
    DYNAMIC_MAP,
    METER_OF_A_SET,
    METER_TWICE,
    OBJECT_IN_PLACE,
)
from iptlint.loads.nft.limits import BYTES, check_limit
from iptlint.loads.nft.objects import check_counting, check_quota
from iptlint.loads.nft.part_trial import PartTrial
from iptlint.loads.nft.places import SET_PKTTYPE
from iptlint.loads.nft.state import KnownSet, PlacedStatement
from iptlint.loads.nft.times import check_timeout
from iptlint.loads.nft.values import Bad, is_range, scalar
from iptlint.model import Family
from iptlint.model.numbers import c_number

_ROUTED = (Family.IP, Family.IP6, Family.INET)
_NETWORKS = {Family.IP: "ip", Family.IP6: "ip6"}
_LAST_ICMPX = 3
"""NFT_REJECT_ICMPX_MAX of nf_tables.h."""
_NO_CODE = 255
_LAST_QUEUE = 65535
_LEVELS = (*("emerg", "alert", "crit", "err", "warn", "notice", "info", "debug", "audit"),)


def is_terminal(statement: t.Node) -> bool:
    """Whether nft lets nothing stand behind it."""
    match statement:
        case t.Verdict(name):
            return name != "continue"
        case t.Reject() | t.Nat() | t.Fwd() | t.Queue():
            return True
    return False


class StatementTrial(PartTrial):
    """Of one rule."""

    def check(self, statement: t.Node) -> None:
        row = STATEMENTS.get(type(statement))
        if row is not None:
            self._place(statement, *row)
        handler = _HANDLERS.get(type(statement))
        if handler is not None:
            handler(self, statement)

    def _place(self, node: t.Node, word: str, place: Any) -> None:
        self._chain.placed.append(PlacedStatement(word, place, node, self._context))

    # -- tproxy -------------------------------------------------------------------------------

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
        elif any(map(is_range, filter(None, (statement.address, statement.port)))):
            cause = "tproxy hands a packet to one address and one port, and this is more"
            self._refuse(checks.TPROXY_RANGE, statement, cause, "write one address and one port")

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
            self._icmpx(statement)
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
        if statement.protocol in _CODES:
            self._code(statement.protocol, statement.reason)

    def _code(self, protocol: str, reason: t.Node | None) -> None:
        """A word that is no code; of a number nft takes the last eight bits."""
        if not isinstance(reason, t.Value):
            return
        number = c_number(reason.text)
        made = scalar(reason, _CODES[protocol]) if number is None else None
        if isinstance(made, Bad):
            self._refuse(checks.VALUE, reason, made.cause, made.mend)
        elif number is not None and number & 0xFF == _NO_CODE:
            cause = f"nft takes {number} for no code at all"
            self._refuse(checks.REJECT, reason, cause, "write a code below 255")

    def _icmpx(self, statement: t.Reject) -> None:
        network = self._selectors.protocols.network
        if self._family in _NETWORKS:
            cause = f"icmpx is for tables of IPv4 and IPv6, and this is an {network} table"
            mend = f"write reject with {_ICMP[network or 'ip']} type …"
            self._refuse(checks.REJECT, statement, cause, mend)
        elif isinstance(statement.reason, t.Value):
            number = c_number(statement.reason.text)
            if number is not None and number & 0xFF > _LAST_ICMPX:
                cause = f"icmpx has no code {number}"
                mend = "write port-unreachable, admin-prohibited, no-route or host-unreachable"
                self._refuse(checks.INVALID, statement.reason, cause, mend)

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
        if prefix.kind is t.Kind.SYMBOL and prefix.text in OF_EVERY_NFT:
            cause = f"`{prefix.text}` is a word of the language, and no text"
            self._refuse(checks.SYNTAX, prefix, cause, f'write it in quotes: "{prefix.text}"')
        length = len(prefix.text.encode(errors="surrogateescape"))
        if length > LONGEST_PREFIX:
            cause = f"the log prefix has {length} octets: at most {LONGEST_PREFIX} fit"
            self._refuse(checks.LOG_PREFIX, statement, cause, "write a shorter prefix")

    def _queue(self, statement: t.Queue) -> None:
        several = statement.target is None or isinstance(statement.target, t.Range)
        if "fanout" in statement.flags and not several:
            cause = "fanout spreads packets over several queues, and there is one"
            self._refuse(checks.FANOUT, statement, cause, "write a range of queues: 0-3")
        if isinstance(statement.target, t.Numgen | t.Hash):
            self._reckoned_queue(statement.target)
        ends = _ends(statement.target)
        numbers = [c_number(end.text) for end in ends]
        for end, number in zip(ends, numbers, strict=True):
            if number is not None and number > _LAST_QUEUE:
                cause = f"there is no queue {number}: the last one is {_LAST_QUEUE}"
                self._refuse(checks.QUEUE, end, cause, f"write 0 to {_LAST_QUEUE}")
                return
        match numbers:
            case [int(first), int(last)] if first > last:
                cause = "the range ends before it begins"
                mend = f"write {last}-{first}"
                self._refuse(checks.VALUE, statement.target or statement, cause, mend)

    def _reckoned_queue(self, number: t.Numgen | t.Hash) -> None:
        last = number.modulus + (number.offset or 0) - 1
        if last > _LAST_QUEUE:
            cause = f"it may come to {last}, and the last queue is {_LAST_QUEUE}"
            self._refuse(checks.QUEUE, number, cause, "write a smaller mod, or a smaller offset")

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
        check_counting(self._trial, self._table, statement, self._context, statement)

    def _foreign(self, statement: t.Foreign) -> None:
        cause = f"`xt {statement.kind} {statement.name}` is how nft prints what iptables-nft made"
        mend = "save these rules with iptables-save, and load them with iptables-restore"
        self._refuse(checks.XT, statement, cause, mend)

    def _object(self, statement: t.ObjectUse) -> None:
        target = self._trial.target
        if statement.kind == "synproxy" and target and OBJECT_IN_PLACE.forbids(target):
            self._place(statement, "synproxy name", STATEMENTS[t.Synproxy][1])
        match statement.name:
            case t.Value() as name:
                self.check_object(statement.kind, name)
            case t.Lookup(_, t.SetLiteral(elements)):
                for element in elements:
                    if isinstance(element, t.Element) and isinstance(element.data, t.Value):
                        self.check_object(statement.kind, element.data)

    def _meter(self, meter: t.Meter) -> None:
        """It is a set of its own."""
        name = meter.name.text if meter.name else ""
        if name in self._table.sets:
            self._trial.forbids(METER_OF_A_SET, self._context, meter, "call it something else")
        elif name and any(name in chain.meters for chain in self._table.chains.values()):
            mend = "declare a set with flags dynamic, and write `update @…` in each rule"
            self._trial.forbids(METER_TWICE, self._context, meter, mend)
        self._chain.meters.add(name)

    def check_object(self, kind: str, name: t.Value) -> None:
        if (kind, name.text) not in self._table.objects:
            table = self._table
            cause = f"there is no {kind} {name.text} in table {table.family.value} {table.name}"
            mend = f"declare it: `{kind} {name.text} {{ … }}`"
            self._trial.refuse(
                checks.MISSING, self._context, name, cause, mend, missing=not table.whole
            )

    def _limit(self, statement: t.Limit) -> None:
        check_limit(self._trial, self._context, statement)

    def _quota(self, statement: t.Quota) -> None:
        if any(unit not in (None, *BYTES) for unit in (statement.unit, statement.used_unit)):
            cause = "a quota counts bytes"
            self._refuse(checks.UNIT, statement, cause, f"write one of {', '.join(BYTES)}")
        check_quota(self._trial, statement, self._context)

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
        for each in extras:
            check_counting(self._trial, self._table, each, self._context, statement)
            if isinstance(each, t.Timing):
                check_timeout(self._trial, self._context, each.time)
            if isinstance(each, t.Limit):
                check_limit(self._trial, self._context, each)
        timed = any(isinstance(each, t.Timing) for each in extras)
        if timed and not known.timeout:
            cause = f"{known.name} keeps its elements for ever, and this one has a timeout"
            mend = f"add `flags dynamic,timeout;` to the declaration of {known.name}"
            self._refuse(checks.TIMEOUT_FLAG, statement, cause, mend)
        fixed = known.is_map and known.size is not None and not known.timeout
        if fixed and "dynamic" not in known.flags:
            self._trial.lacks(DYNAMIC_MAP, self._context, statement)
        if "constant" in known.flags:
            cause = f"{known.name} is constant, and a rule changes it"
            self._refuse(checks.CONSTANT_SET, statement, cause, "delete the flag constant")


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
_CODES = {"icmp": d.ICMP_CODE, "icmpv6": d.ICMPV6_CODE, "icmpx": d.ICMPX_CODE}
_ICMP = {"ip": "icmp", "ip6": "icmpv6"}

_HANDLERS: dict[type[t.Node], Callable[[StatementTrial, Any], None]] = {
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
    t.Meter: StatementTrial._meter,
}


def _ends(target: t.Node | None) -> list[t.Value]:
    parts = (target.low, target.high) if isinstance(target, t.Range) else (target,)
    return [part for part in parts if isinstance(part, t.Value)]


def arguments_of(statement: t.Node) -> Iterator[t.Node]:
    """What it reads of packets, or looks up."""
    match statement:
        case t.Tproxy(address=address, port=port):
            yield from (each for each in (address, port) if each is not None)
        case t.Dup(address, device) | t.Fwd(_, address, device):
            yield from (each for each in (address, device) if each is not None)
        case t.Queue(target) if target is not None:
            yield target
        case t.ObjectUse(_, name):
            yield name
