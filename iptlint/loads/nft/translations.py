"""Translations: where to, of which family, and what has to be known of the packet before."""

from __future__ import annotations

import re
from collections.abc import Iterator

from iptlint.dialects.nft import tree as t
from iptlint.dialects.nft.lowering import datatypes as d
from iptlint.dialects.nft.lowering.datatypes import DataType, article
from iptlint.dialects.nft.lowering.hook_restrictions import NATS
from iptlint.loads.nft import checks
from iptlint.loads.nft.features import FAMILY_OF_A_MAP, PORT_OF_A_MAP
from iptlint.loads.nft.part_trial import PartTrial
from iptlint.loads.nft.state import PlacedStatement
from iptlint.loads.nft.values import Bad, interval, parts_of, presence
from iptlint.model import Family

_ROUTED = (Family.IP, Family.IP6, Family.INET)
_NETWORKS = {Family.IP: "ip", Family.IP6: "ip6"}
_CLASS = re.compile(r"[0-9a-fA-F]{1,4}:[0-9a-fA-F]{1,4}(?=[ \t\n:\-},])")
_ADDRESSES = {"ip": d.IPV4, "ip6": d.IPV6}


class TranslationTrial(PartTrial):
    """Of one rule."""

    def check(self, statement: t.Nat) -> None:
        place = NATS.get(statement.name)
        if place is not None:
            placed = PlacedStatement(statement.name, place, statement, self._context)
            self._chain.placed.append(placed)
        if self._family not in _ROUTED:
            cause = f"{self._family.value} tables translate nothing: {statement.name} is refused"
            self._refuse(
                checks.NAT_FAMILY, statement, cause, "write it in a table of ip, ip6 or inet"
            )
            return
        if isinstance(statement.address, t.Prefix) and self._is_glued(statement.address):
            cause = "nft reads the length and the port as one word, a class of traffic"
            mend = "write a blank before the colon"
            self._refuse(checks.SYNTAX, statement.address.length, cause, mend)
        elif statement.address is not None:
            self._nat_family(statement)

    def _is_glued(self, prefix: t.Prefix) -> bool:
        """src/scanner.l, classid."""
        text = self._context.source.text
        return not self._trial.json and bool(_CLASS.match(text, prefix.length.start))

    def tells_protocol(self, statement: t.Nat) -> bool:
        """Whether the rule, or the key of a map to addresses, says of what a port would be."""
        transport = self._selectors.protocols.transport
        return transport is not None or _tells_protocol(statement.address)

    def check_port(self, statement: t.Nat, *, told: bool) -> None:
        """Once all has been read; ``told``: the protocol was known before the port."""
        if self._family not in _ROUTED:
            return
        if self.tells_protocol(statement):
            if statement.port is not None and not told:
                self._trial.lacks(PORT_OF_A_MAP, self._context, statement.port)
        elif statement.port is not None:
            self._no_port(statement, statement.port)
        elif statement.address is not None and self._has_port(statement.address):
            self._no_port(statement, statement.address)

    def _has_port(self, address: t.Node) -> bool:
        if isinstance(address, t.Lookup):
            return self._maps_to_ports(address.mapping)
        return isinstance(address, t.Concat)

    def _maps_to_ports(self, mapping: t.Node) -> bool:
        match mapping:
            case t.SetReference(name):
                known = self._table.sets.get(name.text)
                return known is not None and len(known.data or ()) > 1
            case t.SetLiteral(elements):
                data = (each.data for each in elements if isinstance(each, t.Element))
                return any(isinstance(each, t.Concat) for each in data)
        return False

    def _no_port(self, statement: t.Nat, port: t.Node) -> None:
        cause = f"{statement.name} to a port needs a protocol that has ports"
        mend = "test tcp dport, or meta l4proto, before it"
        self._refuse(checks.NAT_PORT, port, cause, mend)

    def _nat_family(self, statement: t.Nat) -> None:
        """It has to be known of which family the address is, and the right one."""
        network = self._selectors.protocols.network
        family = self._family_of(statement)
        name = statement.name
        if family is None:
            if isinstance(statement.address, t.Lookup) and self._may_tell(statement.address):
                self._trial.lacks(FAMILY_OF_A_MAP, self._context, statement)
                return
            cause = f"an inet table translates IPv4 and IPv6: say which {name} is for"
            mend = f"write `{name} ip to …` or `{name} ip6 to …`"
            self._refuse(checks.NAT_ADDRESS, statement, cause, mend)
            return
        if network in ("ip", "ip6") and network != family:
            cause = f"the rule is about {network}, and {name} is for {family}"
            self._refuse(checks.PROTOCOL, statement, cause, f"write {name} {network}")

    def _may_tell(self, lookup: t.Lookup) -> bool:
        """Whether later versions may find the family in the key, or nobody knows the map."""
        if any(isinstance(p, t.Payload) and p.protocol in _ADDRESSES for p in parts_of(lookup.key)):
            return True
        match lookup.mapping:
            case t.SetReference(name):
                known = self._table.sets.get(name.text)
                return known is None or known.data is None
            case t.SetLiteral(elements):
                return not elements
        return True

    def _family_of(self, statement: t.Nat) -> str | None:
        network = self._selectors.protocols.network
        tested = network if network in ("ip", "ip6") else None
        return statement.family or _NETWORKS.get(self._family) or tested

    # -- values ------------------------------------------------------------------------------

    def check_values(self, statement: t.Nat) -> None:
        """Addresses and ports, written or looked up; each is read as of its type."""
        address = _ADDRESSES.get(self._family_of(statement) or "")
        if address is not None:
            self._values(statement.address, (address, d.SERVICE))
        self._values(statement.port, (d.SERVICE,))

    def _values(self, node: t.Node | None, types: tuple[DataType, ...]) -> None:
        """Of two types the second is that of a port, which need not be there."""
        if isinstance(node, t.Lookup) and isinstance(node.mapping, t.SetReference):
            self._mapped(node.mapping, types)
            return
        for each in _written(node):
            parts = parts_of(each)
            if len(parts) > len(types):
                continue
            for part, kind in zip(parts, types, strict=False):
                made = presence(part, part, kind) or interval(part, kind)
                if isinstance(made, Bad):
                    self._refuse(checks.VALUE, made.node, made.cause, made.mend)
                    return

    def _mapped(self, reference: t.SetReference, types: tuple[DataType, ...]) -> None:
        known = self._table.sets.get(reference.name.text)
        if known is None or known.data is None:
            return
        if len(known.data) > len(types):
            cause = f"{known.name} maps to {' . '.join(known.data)}, and a port is wanted"
            self._refuse(checks.MISMATCH, reference, cause, f"ask a map to {types[0].name}")
        if len(known.data) != 1:
            return
        wanted = types[0]
        (name,) = known.data
        if name != wanted.name and name in d.BY_NAME and name not in _NUMBERS:
            cause = f"{known.name} maps to {name}, and {article(wanted.what)} is wanted"
            mend = f"ask a map to {wanted.name}"
            self._refuse(checks.MISMATCH, reference, cause, mend)


_NUMBERS = ("integer",)


def _tells_protocol(address: t.Node | None) -> bool:
    """Whether a map is asked for a protocol, too (nat_evaluate_addr_has_th_expr)."""
    if not isinstance(address, t.Lookup) or not isinstance(address.key, t.Concat):
        return False
    return any(part in _PROTOCOLS for part in address.key.parts)


_PROTOCOLS = (t.Meta("l4proto"), t.Payload("ip", "protocol"), t.Payload("ip6", "nexthdr"))


def _written(node: t.Node | None) -> Iterator[t.Node]:
    """What stands there, or the data of the elements."""
    match node:
        case None:
            return
        case t.Lookup(_, t.SetLiteral(elements)):
            for element in elements:
                if isinstance(element, t.Element) and element.data is not None:
                    yield element.data
        case t.Value() | t.Range() | t.Prefix() | t.Concat():
            yield node
