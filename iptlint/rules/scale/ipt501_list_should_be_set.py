"""Many rules differ only in one address: a set takes their place.

## What it does
Finds rules of one chain that are alike but for their source, or their destination, and
that one rule with an ipset can replace. They need not stand together: a rule is counted
only where moving it up to the first of them changes no decision, which is proved over all
packets. Says how many prefixes the set has once neighbours are joined, and how many
comparisons are saved. From 16 kernel rules a warning, from 6 on an information.

## Why it matters
The kernel compares a packet with the rules of a chain one by one, and a set by one look-up,
however many prefixes it holds. A set can also be changed while the rules stay as they are.

## Example
```
-A INPUT -s 192.0.2.1/32 -j DROP
-A INPUT -s 192.0.2.7/32 -j DROP
-A INPUT -s 198.51.100.0/24 -j DROP
-A INPUT -s 203.0.113.4/32 -j DROP
-A INPUT -s 203.0.113.8/32 -j DROP
-A INPUT -s 203.0.113.99/32 -j DROP
```

## Fix
```
ipset create INPUT-DROP-src hash:net family inet
ipset add INPUT-DROP-src 192.0.2.1
…
-A INPUT -m set --match-set INPUT-DROP-src src -j DROP
```
The rule goes where the first of the rules stood. Save the set too, and load it before the
rules: see IPT407. In nft the list may stand in the rule, `ip saddr { 192.0.2.1, … } drop`, or
in a named set of the table.

## When it is wrong
Where the list never grows and few packets come to it, as one of the blocks of special addresses
(10.0.0.0/8, 127.0.0.0/8 and so on), which is left alone below 16 rules; or where ipset is not to be
had. Rules
with comments, limits, logs or counters of their own are not counted, nor are those in
chains that docker, kube-proxy and their like write, or that no packet gets to (IPT101, IPT102,
IPT104), or that a wider prefix of the list covers (IPT102).

## References
- ipset(8): https://ipset.netfilter.org/ipset.man.html
- Jozsef Kadlecsik and György Pásztor, Netfilter Performance Testing:
  https://people.netfilter.org/kadlec/nftest.pdf
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from typing import NamedTuple

from iptlint.analysis.address_lists import AddressList, address_lists
from iptlint.analysis.reordering import match_of
from iptlint.analysis.session import Context
from iptlint.findings import Confidence, Finding, Label, Severity
from iptlint.findings.fix import Fix, replacement
from iptlint.findings.phrases import counted
from iptlint.model import Family, Field
from iptlint.model import addresses as special
from iptlint.model.prefixes import Prefixes, fewest
from iptlint.rules.meta import Group, Meta

META = Meta(
    code="IPT501",
    name="list-should-be-set",
    severity=Severity.WARNING,
    confidence=Confidence.CERTAIN,
    group=Group.SCALE,
    since="0.1.0",
    fixable=True,
    leaves_to=dict.fromkeys(
        ("IPT101", "IPT102"),
        "one finding is for a list, which counts those that are left",
    ),
)

_WARNING_FROM = 16
_LISTED = 8
_SAVED = "save the set too (IPT407)"
_PLACE = "in the place of the first, the others taken out"
_MAXELEM = 65536  # what a hash set holds unless told, ipset(8)
_STEM_LIMIT = 20  # leaves room within IPSET_MAXNAMELEN - 1 = 31 (linux/netfilter/ipset/ip_set.h)


class _Side(NamedTuple):
    """An address field: in words, for ``ipset``, in nft; and whose addresses they are."""

    name: str
    option: str
    nft: str
    family: Family


_SIDES = {
    Field.SADDR: _Side("source", "src", "ip saddr", Family.IP),
    Field.DADDR: _Side("destination", "dst", "ip daddr", Family.IP),
    Field.SADDR6: _Side("source", "src", "ip6 saddr", Family.IP6),
    Field.DADDR6: _Side("destination", "dst", "ip6 daddr", Family.IP6),
}


def check(context: Context) -> Iterator[Finding]:
    for ruleset in context.rulesets:
        names = Counter(context.sets.contents if context.sets else ())
        for analysis in context.firewall(ruleset).analyses():
            for group in address_lists(analysis):
                if group.copies >= _WARNING_FROM or _may_grow(group):
                    yield _finding(group, names)


def _may_grow(group: AddressList) -> bool:
    """What stands in one line has its list."""
    return len(group.rules) > 1 and not _is_of_special_blocks(group)


def _is_of_special_blocks(group: AddressList) -> bool:
    """Whether all of them, but one at most, are blocks that nobody sends from: there is a fixed
    number of these."""
    family = _SIDES[group.field].family
    blocks = special.ranges(family, *special.NOT_PUBLIC, special.AddressKind.EXAMPLE)
    unrouted = special.ranges(family, *special.UNROUTED)
    others = (
        (low, high)
        for low, high in group.ranges()
        if (low, high) not in blocks
        and not any(first <= low and high <= last for first, last in unrouted)
    )
    return len([*islice(others, 2)]) < 2


def _finding(group: AddressList, names: Counter[str]) -> Finding:
    prefixes = fewest(group.ranges(), _SIDES[group.field].family)
    first, last = group.rules[0], group.rules[-1]
    rules = len(group.rules)
    made = "" if group.copies == rules else f", of which the kernel makes {group.copies},"
    what = f"{counted(rules, 'rule')}{made} {'differ' if rules > 1 else 'differs'}"
    side, name = _SIDES[group.field].name, _name(group, names)
    return META.finding(
        first.origin.span,
        f"{what} only in their {side} address: {_replacement(group, prefixes)}; a packet that"
        f" matches none is compared with {group.copies_left} instead of {group.copies} rules",
        _help(group, prefixes, name),
        related=() if last is first else (Label(last.origin.span, "the last of them"),),
        severity=Severity.WARNING if group.copies >= _WARNING_FROM else Severity.INFO,
        fix=_fix(group, prefixes, name),
    )


def _fix(group: AddressList, prefixes: Prefixes, name: str) -> Fix | None:
    ruleset, side = group.analysis.ruleset, _SIDES[group.field]
    if len(prefixes) == 1:
        test = ruleset.syntax.pick(iptables=f"-{side.option[0]}", nft=side.nft)
        return replacement(ruleset, group.rules, [_rewritten(group, f"{test} {prefixes[0]}")])
    fix = ruleset.syntax.pick(iptables=_fix_with_ipset, nft=_fix_with_list)
    return fix(group, prefixes, name)


def _fix_with_list(group: AddressList, prefixes: Prefixes, _: str) -> Fix | None:
    elements = ", ".join(prefixes.texts())
    text = _rewritten(group, f"{_SIDES[group.field].nft} {{ {elements} }}")
    return replacement(group.analysis.ruleset, group.rules, [text])


def _fix_with_ipset(group: AddressList, prefixes: Prefixes, name: str) -> Fix | None:
    """Not safe: the set has to be loaded before the rules. A script makes its sets by commands."""
    ruleset = group.analysis.ruleset
    rule = _rewritten(group, _set_test(group, name))
    lines = [_create(name, prefixes), *_adds(name, prefixes)]
    commands = [f"ipset {line} -exist" for line in lines] if ruleset.script else []
    fix = replacement(ruleset, group.rules, ["\n".join((*commands, rule))])
    if fix is None:
        return None
    says = f"{_making(name, prefixes)}; then, {_PLACE}: `{rule}`"
    sets = "" if ruleset.script else "".join(f"{line}\n" for line in lines)
    return replace(fix, says=says, safe=False, sets=sets, otherwise=_SAVED)


def _replacement(group: AddressList, prefixes: Prefixes) -> str:
    if len(prefixes) == 1:
        return f"together they are {prefixes[0]}, so one rule replaces them"
    joined = len(prefixes) < len(set(group.ranges()))
    after = " (after joining neighbours)" if joined else ""
    return f"one set of {len(prefixes)} prefixes{after} replaces them"


def _help(group: AddressList, prefixes: Prefixes, name: str) -> str:
    advice = group.analysis.syntax.pick(iptables=_with_ipset, nft=_with_set)
    return advice(group, prefixes, name)


def _with_ipset(group: AddressList, prefixes: Prefixes, name: str) -> str:
    place = _PLACE
    if len(prefixes) == 1:
        test = f"-{_SIDES[group.field].option[0]} {prefixes[0]}"
        return f"{place}: `{_rewritten(group, test)}`"
    rule = _rewritten(group, _set_test(group, name))
    return f"{_making(name, prefixes)}; then, {place}: `{rule}`; {_SAVED}"


def _with_set(group: AddressList, prefixes: Prefixes, name: str) -> str:
    selector, family = _SIDES[group.field].nft, _SIDES[group.field].family
    if len(prefixes) == 1:
        return f"{_PLACE}: `{_rewritten(group, f'{selector} {prefixes[0]}')}`"
    if len(prefixes) <= _LISTED:
        elements = ", ".join(prefixes.texts())
        return f"{_PLACE}: `{_rewritten(group, f'{selector} {{ {elements} }}')}`"
    bits = 4 if family is Family.IP else 6
    return (
        f"in the table, `set {name} {{ type ipv{bits}_addr; flags interval; "
        f"elements = {{ {next(prefixes.texts())}, … }} }}` with all {len(prefixes)} prefixes; "
        "then, "
        f"{_PLACE}: `{_rewritten(group, f'{selector} @{name}')}`"
    )


def _set_test(group: AddressList, name: str) -> str:
    return f"-m set --match-set {name} {_SIDES[group.field].option}"


def _create(name: str, prefixes: Prefixes) -> str:
    family = "inet" if prefixes[0].version == 4 else "inet6"
    room = f" maxelem {len(prefixes)}" if len(prefixes) > _MAXELEM else ""
    return f"create {name} hash:net family {family}{room}"


def _adds(name: str, prefixes: Prefixes) -> Iterator[str]:
    return (f"add {name} {text}" for text in prefixes.texts())


def _making(name: str, prefixes: Prefixes) -> str:
    create = _create(name, prefixes)
    if len(prefixes) <= _LISTED:
        commands = (create, *_adds(name, prefixes))
        return f"`{'; '.join(f'ipset {command}' for command in commands)}`"
    return (
        f"give `ipset restore` the line `{create}` and {len(prefixes)} lines such as"
        f" `add {name} {prefixes[0]}`"
    )


def _rewritten(group: AddressList, test: str) -> str:
    """The first rule as it is written, with another test for the addresses."""
    first = group.rules[0]
    part, _ = match_of(first, group.field)
    return group.analysis.syntax.with_addresses(first, part, test)


def _name(group: AddressList, names: Counter[str]) -> str:
    """One that no other finding of the file proposes. Both families share the names of sets."""
    field = _SIDES[group.field]
    side = f"-{field.option}{'6' if field.family is Family.IP6 else ''}"
    stem = f"{group.chain.name}-{group.rules[0].verdict.name}"[:_STEM_LIMIT] + side
    names[stem] += 1
    return stem if names[stem] == 1 else f"{stem}-{names[stem]}"
