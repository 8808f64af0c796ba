"""Which interfaces face the world, as far as their names and the rules for them tell."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from iptlint.analysis.default_verdict import (
    accepted_by_default,
    dropped_by_default,
    hosts,
    probes,
    public_hosts,
)
from iptlint.analysis.hook_verdicts import some_accepted
from iptlint.memo import memo
from iptlint.model import (
    AnyOf,
    Chain,
    Field,
    Hook,
    Interface,
    Match,
    Rule,
    VerdictKind,
    Within,
    addresses,
)
from iptlint.model.addresses import AddressKind
from iptlint.model.call_graph import calls_in
from iptlint.model.kinds import examples_in, rules_testing, rules_where
from iptlint.model.names import is_card, is_inside, is_outward, is_second, no_interface
from iptlint.model.owners import owner_of_name
from iptlint.netfilter.firewall import Hooks
from iptlint.packets.interfaces import InterfaceClass
from iptlint.packets.space import Space

if TYPE_CHECKING:
    from iptlint.packets.bdd import PacketSet

_MANY_CALLERS = "ppp"
"""With a wildcard (``ppp+``) these are the clients of a server as often as they are the uplink.
Where a rule names them so, one of them (``ppp0``) may be a client as well."""

_TRANSLATING = ("MASQUERADE", "SNAT")


@memo
def external_classes(hooks: Hooks) -> Sequence[int]:
    """The numbers of the interface classes by which the world comes in."""
    space = hooks.space
    classes, known = [*enumerate(space.interfaces.classes, start=1)], uplink_names(hooks)
    numbers = [
        number
        for number, cls in classes
        if hooks.facing.get(cls.name) or cls.name in known or not is_inside(cls.name or "-")
    ]
    numbers = less_trusted(hooks, numbers)
    *_, (other, _) = classes
    named = {number: space.interfaces.classes[number - 1] for number in numbers if number != other}
    if hooks.facing:
        return _by_addresses(hooks, named) + [other] * (other in numbers)
    if excepted := _excepted(hooks):
        return [number for number, cls in named.items() if cls.name in excepted]
    # The only interface with a name is the world's, unless what is for all is said without it.
    shared = other in numbers and _lets_someone_in(hooks, other)
    if len(named) > 1 or (named and (uplink_names(hooks) or shared)):
        facing = [number for number, cls in named.items() if _faces_world(hooks, cls)]
        return facing + [other] * (other in numbers)
    return [n for n in numbers if n == other or not is_second(named[n].name)]


def _by_addresses(hooks: Hooks, named: Mapping[int, InterfaceClass]) -> list[int]:
    """Of the interfaces with names, those that are known to face the world."""
    public = [name for name, faces in hooks.facing.items() if faces]
    return [
        number
        for number, cls in named.items()
        if any(name.startswith(cls.name) if cls.wildcard else name == cls.name for name in public)
    ]


def _excepted(hooks: Hooks) -> frozenset[str]:
    """The interfaces X of rules that people wrote to let in what comes by any but X."""
    return frozenset(
        match.name
        for analysis in hooks.firewall.analyses()
        for chain, rule in examples_in(analysis.table)
        if rule.verdict.kind is VerdictKind.ACCEPT and owner_of_name(chain.name) is None
        for match in rule.matches
        if isinstance(match, Interface) and match.field is Field.IIF and match.negated
        if not is_inside(match.name) and any(map(_filters, analysis.calls.bases_of(chain.name)))
    )


def _filters(base: Chain) -> bool:
    return base.type == "filter" and base.hook in (Hook.INPUT, Hook.FORWARD)


def only_card(space: Space) -> PacketSet:
    """The packets by the one interface that rules name, if its name does not say that the world is
    elsewhere."""
    classes = enumerate(space.interfaces.classes, start=1)
    named = [(number, cls) for number, cls in classes if cls.name not in ("", "lo")]
    if len(named) != 1:
        return space.false
    ((number, cls),) = named
    inside = cls.wildcard or is_inside(cls.name) or is_second(cls.name)
    inside = inside or no_interface(cls.name) is not None  # a template tells by none where it is
    return space.false if inside else space.value(Field.IIF, number)


def less_trusted(hooks: Hooks, numbers: Sequence[int]) -> list[int]:
    """Without those that everything is accepted from, where others are closed."""
    space, denied = hooks.space, dropped_by_default(hooks, Hook.INPUT)
    open_ = accepted_by_default(hooks, Hook.INPUT)
    if not denied.satisfiable():
        return [*numbers]
    return [n for n in numbers if not (space.value(Field.IIF, n) & open_).satisfiable()]


def _faces_world(hooks: Hooks, cls: InterfaceClass) -> bool:
    known = uplink_names(hooks)
    return cls.name in known if known else faces_by_name(hooks, cls)


def faces_by_name(hooks: Hooks, cls: InterfaceClass) -> bool:
    """Whether its name says that the world is there, beside the names of the others."""
    return is_external_name(cls) and not (
        cls.name.startswith(_MANY_CALLERS) and _has_callers(hooks.space)
    )


def _has_callers(space: Space) -> bool:
    return any(cls.wildcard and cls.name == _MANY_CALLERS for cls in space.interfaces.classes)


def is_external_name(cls: InterfaceClass) -> bool:
    """Whether the name says that the world is behind the interface."""
    if cls.wildcard and cls.name == _MANY_CALLERS:
        return False
    return is_outward(cls.name)


def _lets_someone_in(hooks: Hooks, number: int) -> bool:
    """Whether rules let strangers open some connection to this host by the interfaces of the
    class. That all is open there, since nothing is denied, tells nothing about them, nor does
    what is for an address of ``lo``."""
    space, family = hooks.space, hooks.family
    kept = (Field.IIF, Field.DPORT, family.daddr)
    to_lo = space.ranges(family.daddr, addresses.ranges(family, AddressKind.LOOPBACK))
    coming = space.value(Field.IIF, number) & ~accepted_by_default(hooks, Hook.INPUT) & ~to_lo
    return any(
        some_accepted(hooks, Hook.INPUT, stranger & coming)
        for stranger in probes(hooks, Hook.INPUT, "new", "syn", free=kept)
    )


def visited_classes(hooks: Hooks) -> list[int]:
    """The external classes by which rules let strangers in."""
    return [number for number in external_classes(hooks) if _lets_someone_in(hooks, number)]


def visited_names(hooks: Hooks) -> frozenset[str]:
    """The interfaces by which rules let someone in to this host from an address of the world."""
    return frozenset(
        match.name
        for analysis in hooks.firewall.analyses()
        for chain, rule in rules_testing(analysis.table, _accepts_by_name)
        if Hook.INPUT in analysis.calls.hooks_of(chain.name)
        for match in rule.matches
        if isinstance(match, Interface) and match.field is Field.IIF
        if not match.negated and not match.wildcard and not is_inside(match.name)
        if _is_from_world(hooks, rule)
    )


def _accepts_by_name(rule: Rule) -> bool:
    accepts = rule.verdict.kind is VerdictKind.ACCEPT
    return accepts and any(isinstance(match, Interface) for match in rule.matches)


def _is_from_world(hooks: Hooks, rule: Rule) -> bool:
    field, space = hooks.family.saddr, hooks.space
    networks = (m for m in rule.matches if isinstance(m, Within) and m.field is field)
    world = public_hosts(hooks, field)
    private = hosts(hooks, field) & ~world
    sets = [space.ranges(field, match.ranges) for match in networks if not match.negated]
    return any((s & world).satisfiable() and not (s & private).satisfiable() for s in sets)


def uplink_names(hooks: Hooks) -> frozenset[str]:
    """The interfaces by which packets leave with an address of the host's, but for those that lead
    to networks of its own by their names; a card that may (``usb0``) leads to the world where no
    other does. Where what goes into tunnels gets one too, a kind of interfaces (``orga+``) may be
    of those."""
    lending = lending_names(hooks)
    tunnels = any(map(is_inside, lending))
    kinds = {cls.name for cls in hooks.space.interfaces.classes if cls.wildcard} if tunnels else {}
    known = frozenset(n for n in lending if not is_inside(n) and (is_outward(n) or n not in kinds))
    return known or frozenset(filter(is_card, lending))


def names_all(hooks: Hooks) -> bool:
    """Whether rules name several interfaces, and say that one leads to the world: there may be no
    further one."""
    names = {cls.name for cls in hooks.space.interfaces.classes} - {"", "lo"}
    return len(names) > 1 and not names.isdisjoint(lending_names(hooks))


def lending_names(hooks: Hooks) -> frozenset[str]:
    """The interfaces by which packets leave with an address of the host's; a tunnel may be one.
    Not those by which they are led back to a network of its own (hairpin), nor those that another
    rule leaves out as a kind (``! -o vmi+``), unless their names say that the world is there."""
    tests = [
        test
        for rule in _translating(hooks)
        for match in rule.matches
        for test in _interfaces(match)
        if test.field is Field.OIF and not _leads_inside(hooks, rule)
    ]
    left_out = tuple(test.name for test in tests if test.negated and test.wildcard)
    named = (test.name for test in tests if not test.negated)
    return frozenset(n for n in named if is_outward(n) or not n.startswith(left_out))


def _interfaces(match: Match) -> Iterator[Interface]:
    """The interface that it names, or each of a list (``oifname { ppp0, wwan0 }``)."""
    match match:
        case Interface():
            yield match
        case AnyOf(((Interface(),), *_) as alternatives, negated=False):
            yield from (
                test for each in alternatives for test in each if isinstance(test, Interface)
            )


def _translating(hooks: Hooks) -> Iterator[Rule]:
    """Those that do so, and those that send packets to a chain in which one does, as shorewall and
    firewalld have a chain for each interface."""
    for table in hooks.ruleset.tables:
        calls = calls_in(table)
        chains = [chain.name for chain, rule in examples_in(table) if gives_source(rule)]
        leading = frozenset[str]().union(*map(calls.leading_to, dict.fromkeys(chains)))

        def leads(rule: Rule, leading: frozenset[str] = leading) -> bool:
            return gives_source(rule) or rule.verdict.chain in leading

        yield from (rule for _, rule in rules_where(table, leads))


def gives_source(rule: Rule) -> bool:
    """Whether it gives what it takes another source: the host's address, as a rule."""
    return rule.verdict.name.upper() in _TRANSLATING


def _leads_inside(hooks: Hooks, rule: Rule) -> bool:
    """Whether the rule is for destinations of private networks only."""
    field, public = hooks.family.daddr, public_hosts(hooks, hooks.family.daddr)
    named = (m for m in rule.matches if isinstance(m, Within) and m.field is field)
    return any(
        not test.negated and not (hooks.space.ranges(field, test.ranges) & public).satisfiable()
        for test in named
    )
