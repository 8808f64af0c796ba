"""Tests of the model, as nft writes them: a row for each field of a packet.

What nft says of a packet by comparing a field (that it is of tcp, that it is no later fragment,
that it has a connection) is not written again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product, takewhile

from iptlint.dialects.nft.writing import values as v
from iptlint.dialects.nft.writing.values import NoFormError
from iptlint.model import AnyOf, Family, Field, Interface, Masked, Match, Within
from iptlint.model.matches import CT_STATES
from iptlint.model.protocols import ICMP, ICMP6, PORT_PROTOCOLS, TCP


@dataclass(frozen=True, slots=True)
class Item:
    """One test in nft's words, and what of the model it says beside.

    ``assumed``: what it asks for that comparing another field may say as well. ``excepted``: the
    packets that hold it are the ones that are not meant. ``counts``: asking changes the answer.
    ``noting``: what is done for each packet that gets here, before what follows is asked.
    """

    text: str
    says: frozenset[Match] = frozenset()
    assumed: Match | None = None
    excepted: bool = False
    counts: bool = False
    noting: str = ""


Line = tuple[Item, ...]
"""Tests that all have to hold, in their order."""
Lines = tuple[Line, ...]
"""Alternatives; no packet is of two."""

EVERYTHING: Lines = ((),)
NOTHING: Lines = ()
_MOST_LINES = 64

FIRST_FRAGMENT = Within(Field.FRAGMENT, ((0, 0),))
HAS_CONNECTION = Within(
    Field.CT_STATE, ((CT_STATES.index("invalid"), CT_STATES.index("untracked")),), True
)


def is_protocol(number: int) -> Match:
    return Within(Field.PROTO, ((number, number),))


@dataclass(frozen=True, slots=True)
class Of:
    """What is known of the packets: their family, and their protocol where a test names it."""

    family: Family
    protocol: int | None = None


def lines_of(matches: Iterable[Match], of: Of) -> Lines:
    """The tests as nft has them. NoFormError where it has no words for one."""
    lines = EVERYTHING
    for match in matches:
        of = replace(of, protocol=protocol_named(match) or of.protocol)
        lines = joined(lines, _alternatives(match, of))
    return lines


def protocol_named(match: Match) -> int | None:
    match match:
        case Within(Field.PROTO, ((low, high),), False) if low == high:
            return low
    return None


def joined(*parts: Lines) -> Lines:
    """Those of each part behind those of the part before."""
    lines = EVERYTHING
    for part in parts:
        lines = tuple((*one, *other) for one, other in product(lines, part))
        if len(lines) > _MOST_LINES:
            raise NoFormError(f"nft needs more than {_MOST_LINES} rules for it")
    return lines


def texts(line: Line, *, strict: bool = False) -> tuple[str, ...]:
    """The words of a line, without the tests that later ones of it say themselves. A packet is
    taken for whole, as connection tracking makes it, if that need not be asked (``strict``)."""
    kept: list[str] = []
    said: set[Match] = set()
    for place, item in enumerate(line):
        if not item.text:
            continue
        match = item.assumed
        if match is not None:
            later = takewhile(lambda other: not other.counts, line[place + 1 :])
            implied = match in said or any(match in other.says for other in later)
            if implied or (match == FIRST_FRAGMENT and not strict):
                continue
        said |= item.says
        kept.append(item.text)
    return tuple(dict.fromkeys(kept))


# -- combinations -------------------------------------------------------------------------------


def _alternatives(match: Match, of: Of) -> Lines:
    match match:
        case AnyOf(alternatives, negated):
            same = _of_one_field(alternatives)
            if same is not None:
                return _alternatives(replace(same, negated=negated), of)
            pair = _pairs(alternatives, of, negated=negated)
            if pair is not None:
                return pair
            return _none_of(alternatives, of) if negated else _any_of(alternatives, of)
        case Within() | Masked():
            return _FIELDS[match.field](match, of) if match.field in _FIELDS else _no(match.field)
        case Interface(field, name, wildcard, negated):
            side = "iifname" if field is Field.IIF else "oifname"
            named = v.interface(name, wildcard=wildcard)
            return ((Item(f"{side} {'!= ' * negated}{named}"),),)
        case _:
            raise NoFormError(f"nft has no test like `{match.key}`")


def _no(field: Field) -> Lines:
    raise NoFormError(f"nft has no test of {field.value}")


def _of_one_field(alternatives: Sequence[tuple[Match, ...]]) -> Within | None:
    """Alternatives that are values of one field."""
    tests = [test for tests in alternatives for test in tests]
    withins = [test for test in tests if isinstance(test, Within) and not test.negated]
    fields = {test.field for test in withins}
    if not tests or len(withins) < len(tests) or len(fields) > 1 or len(tests) > len(alternatives):
        return None
    return Within(fields.pop(), tuple(span for test in withins for span in test.ranges))


def _pairs(alternatives: Sequence[tuple[Match, ...]], of: Of, *, negated: bool) -> Lines | None:
    """Types with codes of icmp, which nft compares together."""
    pairs = []
    for alternative in alternatives:
        match alternative:
            case (
                Within(Field.ICMP_TYPE, types, False),
                Within(Field.ICMP_CODE, codes, False),
            ):
                each = v.elements(Field.ICMP_TYPE, types), v.elements(Field.ICMP_CODE, codes)
                pairs += [f"{kind} . {code}" for kind, code in product(*each)]
            case _:
                return None
    name, says = _icmp(of)
    text = f"{name} type . {name} code {'!= ' * negated}{{ {', '.join(pairs)} }}"
    return ((Item(text, says),),) if pairs else None


def _none_of(alternatives: Iterable[tuple[Match, ...]], of: Of) -> Lines:
    return joined(*(_not_all(tests, of) for tests in alternatives))


def _not_all(tests: Sequence[Match], of: Of) -> Lines:
    """At least one does not hold; the first of those that do not."""
    lines: Lines = ()
    for place, test in enumerate(tests):
        lines += joined(lines_of(tests[:place], of), lines_of((negation(test),), of))
    return lines


def _any_of(alternatives: Sequence[tuple[Match, ...]], of: Of) -> Lines:
    """The first of those that hold."""
    lines: Lines = ()
    for place, tests in enumerate(alternatives):
        before = joined(*(_not_all(other, of) for other in alternatives[:place]))
        lines += joined(before, lines_of(tests, of))
    return lines


def negation(test: Match) -> Match:
    match test:
        case Within() | Masked() | Interface() | AnyOf():
            return replace(test, negated=not test.negated)
        case _:
            raise NoFormError(f"nft has no test like `{test.key}`")


# -- fields ---------------------------------------------------------------------------------------

_Test = Within | Masked
_Row = Callable[[_Test, Of], Lines]


def _compared(selector: str, test: _Test, says: frozenset[Match] = frozenset()) -> Lines:
    return ((Item(f"{selector} {_value(test)}", says),),)


def _value(test: _Test) -> str:
    sign = "!= " * test.negated
    match test:
        case Within(field, ranges):
            return sign + v.one_of(v.elements(field, ranges))
        case Masked(field, mask, value):
            shown = v.spelled if field in v.ADDRESSES else (lambda _, number: v.hexadecimal(number))
            return f"& {shown(field, mask)} {sign or '== '}{shown(field, value)}"


def plain(selector: str, *says: Match) -> _Row:
    return lambda test, _: _compared(selector, test, frozenset(says))


def _by_family(ip: str, ip6: str) -> _Row:
    return lambda test, of: _compared(ip if of.family is Family.IP else ip6, test)


def _port(side: str) -> _Row:
    def row(test: _Test, of: Of) -> Lines:
        name = v.PROTOCOL_NAMES.get(of.protocol or 0)
        if of.protocol not in PORT_PROTOCOLS or name is None:
            raise NoFormError("a port of a protocol that has none, or of several")
        says = frozenset((is_protocol(of.protocol), FIRST_FRAGMENT))
        return _compared(f"{name} {side}", test, says)

    return row


def _icmp(of: Of) -> tuple[str, frozenset[Match]]:
    name, number = ("icmp", ICMP) if of.family is Family.IP else ("icmpv6", ICMP6)
    return name, frozenset((is_protocol(number), FIRST_FRAGMENT))


def _of_icmp(part: str) -> _Row:
    def row(test: _Test, of: Of) -> Lines:
        name, says = _icmp(of)
        match test:
            case Within(Field.ICMP_TYPE, ((low, high),), negated) if low == high:
                value = v.icmp_type(low, ip6=of.family is Family.IP6)
                return ((Item(f"{name} {part} {'!= ' * negated}{value}", says),),)
        return _compared(f"{name} {part}", test, says)

    return row


def _tcp_flags(test: _Test, _: Of) -> Lines:
    """nft takes a plain value for any of its bits, so it is always compared under a mask."""
    says = frozenset((is_protocol(TCP), FIRST_FRAGMENT))
    match test:
        case Masked(_, mask, value):
            bits = f"({v.flags(mask)})" if mask.bit_count() > 1 else v.flags(mask)
            text = f"tcp flags & {bits} {'!=' if test.negated else '=='} {v.flags(value)}"
            return ((Item(text, says),),)
        case Within(_, ((low, high),), negated) if low == high:
            return _tcp_flags(Masked(test.field, 0xFF, low, negated), _)
    raise NoFormError("a range of tcp flags")


def _fragment(test: _Test, of: Of) -> Lines:
    if of.family is not Family.IP:
        if test == FIRST_FRAGMENT:
            return ((_A_WHOLE_IP6,),)
        raise NoFormError("a later fragment of IPv6")
    later = isinstance(test, Within) and test.ranges == ((1, 1),) and not test.negated
    return ((Item("ip frag-off & 0x1fff != 0x0"),),) if later else ((_A_WHOLE_IP,),)


def _state(test: _Test, _: Of) -> Lines:
    if test == HAS_CONNECTION:
        return ((_CONNECTED,),)
    states = v.elements(test.field, test.ranges) if isinstance(test, Within) else _no(test.field)
    if test.negated or len(states) == 1:
        return ((Item(f"ct state {'!= ' * test.negated}{v.one_of([*map(str, states)])}"),),)
    return ((Item(f"ct state {','.join(map(str, states))}"),),)


def _status(name: str) -> _Row:
    def row(test: _Test, _: Of) -> Lines:
        holds = isinstance(test, Within) and ((1, 1) in test.ranges) is not test.negated
        text = f"ct status {name}" if holds else f"ct status & {name} == 0x0"
        return ((Item(text, frozenset((HAS_CONNECTION,))),),)

    return row


def _tos(test: _Test, of: Of) -> Lines:
    """The byte is two fields to nft: dscp, its upper six bits, and ecn."""
    match test:
        case Masked(_, mask, value, negated):
            parts = ("dscp", mask >> 2, value >> 2, 0x3F), ("ecn", mask & 3, value & 3, 3)
        case Within(_, ((low, high),), negated) if low == high:
            parts = ("dscp", 0x3F, low >> 2, 0x3F), ("ecn", 3, low & 3, 3)
        case _:
            raise NoFormError("a range of the tos byte")
    lines: Lines = ()
    before: Line = ()
    for name, mask, value, full in parts:
        if mask:
            bits = "" if mask == full else f"& {mask:#x} "
            equal = Item(f"{of.family.value} {name} {bits}== {value:#x}")
            if negated:
                lines += ((*before, Item(equal.text.replace("==", "!="))),)
            before = (*before, equal)
    return lines if negated else (before,)


_FIELDS: Mapping[Field, _Row] = {
    Field.SADDR: plain("ip saddr"),
    Field.DADDR: plain("ip daddr"),
    Field.SADDR6: plain("ip6 saddr"),
    Field.DADDR6: plain("ip6 daddr"),
    Field.PROTO: lambda test, _: _protocol(test),
    Field.SPORT: _port("sport"),
    Field.DPORT: _port("dport"),
    Field.ICMP_TYPE: _of_icmp("type"),
    Field.ICMP_CODE: _of_icmp("code"),
    Field.TCP_FLAGS: _tcp_flags,
    Field.FRAGMENT: _fragment,
    Field.CT_STATE: _state,
    Field.CT_DIRECTION: plain("ct direction", HAS_CONNECTION),
    Field.CT_SNAT: _status("snat"),
    Field.CT_DNAT: _status("dnat"),
    Field.MARK: plain("meta mark"),
    Field.CT_MARK: plain("ct mark", HAS_CONNECTION),
    Field.MAC_SOURCE: plain("ether saddr"),
    Field.LENGTH: plain("meta length"),
    Field.TTL: _by_family("ip ttl", "ip6 hoplimit"),
    Field.TOS: _tos,
    Field.PKTTYPE: plain("meta pkttype"),
}


def _protocol(test: _Test) -> Lines:
    named = protocol_named(test)
    assumed = None if named is None else is_protocol(named)
    return ((Item(f"meta l4proto {_value(test)}", assumed=assumed),),)


_A_WHOLE_IP = Item("ip frag-off & 0x1fff == 0x0", assumed=FIRST_FRAGMENT)
_A_WHOLE_IP6 = Item("exthdr frag missing", assumed=FIRST_FRAGMENT)
_CONNECTED = Item("ct state != { invalid, untracked }", assumed=HAS_CONNECTION)
