"""Whether a host has the same rules as another file: of the same family for every packet, of the
other one as far as the two can be compared."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from iptlint.analysis.arrivals import Where, arrivals
from iptlint.analysis.diff import difference
from iptlint.analysis.divergence import Divergence
from iptlint.analysis.exposure import exposure
from iptlint.model import Field, Hook, Ruleset
from iptlint.model.protocols import TCP, UDP
from iptlint.netfilter.firewall import Firewall, Hooks, space_of
from iptlint.packets.bdd import union
from iptlint.packets.describe import clause
from iptlint.packets.space import Space
from iptlint.policy.claims import Claim, Quantity, setting_out
from iptlint.policy.hosts import PolicyHost
from iptlint.policy.results import Result, Status
from iptlint.policy.services import ANY
from iptlint.policy.tests import BOTH, PolicyTest
from iptlint.policy.zones import HOST, INTERNET

if TYPE_CHECKING:
    from iptlint.packets.bdd import PacketSet

_EVERYONE = Claim(Quantity.NONE, INTERNET, HOST, ANY)
_COMPARED = (Field.IIF, Field.PROTO, Field.DPORT)


def same_as(test: PolicyTest, host: PolicyHost, other: Ruleset | None) -> Iterator[Result]:
    """Each ruleset of the host but that file itself."""
    if other is None:
        said = f"{test.other} was not read"
        yield Result(test, host.name, None, Status.UNPROVED, False, said)
        return
    rulesets = [r for r in host.rulesets if r.source.path != other.source.path and r.tables]
    if not rulesets:
        said = f"there is nothing to compare {test.other} with"
        yield Result(test, host.name, None, Status.UNPROVED, False, said)
    for ruleset in rulesets:
        yield _compared(test, host, ruleset, other)


def _compared(test: PolicyTest, host: PolicyHost, ruleset: Ruleset, other: Ruleset) -> Result:
    shared = [family for family in BOTH if ruleset.sees(family) and other.sees(family)]
    if shared:
        return _of_one_family(test, host, ruleset, other)
    return _of_two_families(test, host, ruleset, other)


def _of_one_family(test: PolicyTest, host: PolicyHost, ruleset: Ruleset, other: Ruleset) -> Result:
    differences = difference(other, ruleset, addresses=host.addresses)
    if differences.equivalent:
        return Result(test, host.name, None, Status.HOLDS, passes=True)
    first = next(iter(differences.changes), None)
    status = Status.FAILS if first and first.certain else Status.POSSIBLE
    if first is None:
        said = f"{ruleset.source.path}: whether it is the same depends on a limit or the like"
        return Result(test, host.name, None, status, test.allow_possible, said)
    return Result(
        test,
        host.name,
        first.family,
        status,
        passes=status is Status.POSSIBLE and test.allow_possible,
        message=_differing(ruleset, other, first),
        way=first.hook,
        witness=first.witness,
        decision=first.new.decision,
    )


def _differing(ruleset: Ruleset, other: Ruleset, change: Divergence) -> str:
    one, two = change.new.kind.value, change.old.kind.value
    if one == two:
        what = ", ".join(change.aspects) or "its answer"
        return f"{ruleset.source.path} gives a packet another {what} than {other.source.path}"
    return f"{ruleset.source.path}: {one}; {other.source.path}: {two}"


def _of_two_families(
    test: PolicyTest, host: PolicyHost, ruleset: Ruleset, other: Ruleset
) -> Result:
    """What each lets in from everyone on the internet, and what from somebody: by protocol, port
    and interface, for addresses of two families cannot be compared."""
    space = space_of(ruleset, other)
    sides = [_Side(space, each) for each in (ruleset, other)]
    named = (("strangers", [s.everyone for s in sides]), ("somebody", [s.some for s in sides]))
    for name, shares in named:
        for lets, lets_not in ((0, 1), (1, 0)):
            more = shares[lets] & ~shares[lets_not]
            if more.satisfiable():
                paths = [(ruleset, other)[number].source.path for number in (lets, lets_not)]
                what = clause(space, more, space.project(space.universe, *_COMPARED), 3)
                said = f"{paths[0]} lets {name} in, {paths[1]} does not: {what}"
                return Result(test, host.name, None, Status.FAILS, passes=False, message=said)
    return Result(test, host.name, None, Status.HOLDS, True, "by protocols, ports and interfaces")


class _Side:
    """What one ruleset lets in, over the fields that both families have: from somebody, and from
    strangers, most of them."""

    def __init__(self, space: Space, ruleset: Ruleset) -> None:
        family = next(family for family in BOTH if ruleset.sees(family))
        hooks = Hooks(Firewall(ruleset, space), family)
        ports = union([space.value(Field.PROTO, p) for p in (TCP, UDP)], space.false)
        asked = setting_out(hooks, _EVERYONE, Hook.INPUT, usual=True) & ports
        arrived = arrivals(hooks, Hook.INPUT, asked, Where.LIKELY_HOST)
        strangers = exposure(hooks, Hook.INPUT)
        self.some: PacketSet = space.project(arrived.may_arrive(lambda _: space.true), *_COMPARED)
        self.everyone: PacketSet = strangers.most(strangers.accepted, *_COMPARED)
