"""What became of a policy test on one host, for the packets of one family."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from iptlint.model import Family, Hook
from iptlint.netfilter.packet_group import Decision
from iptlint.packets.packet import Packet
from iptlint.policy.claims import Claim
from iptlint.policy.tests import PolicyTest
from iptlint.source import Edit


class Status(Enum):
    """``POSSIBLE``: only a limit, or what the rules do not tell, decides. ``UNPROVED``: the rules
    of the family were not given."""

    HOLDS = "holds"
    FAILS = "fails"
    POSSIBLE = "depends"
    UNPROVED = "not proved"


@dataclass(frozen=True, slots=True)
class LeastChange:
    """An edit after which the test holds, which has been proved. ``breaks``: tests that held before
    and would not then."""

    says: str
    edits: tuple[Edit, ...] = ()
    breaks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Result:
    """``family``: None where the test is about both together. ``passes``: whether this is what the
    test wants, what it allows to be possible among it. ``message``: why not, or under what it
    does; ``help``: what to do where no change is proposed. ``claim``: what of the test does not
    hold."""

    test: PolicyTest
    host: str
    family: Family | None
    status: Status
    passes: bool
    message: str = ""
    way: Hook | None = None
    witness: Packet | None = None
    decision: Decision | None = None
    change: LeastChange | None = None
    help: str = ""
    claim: Claim | None = None


def all_pass(results: Iterable[Result]) -> bool:
    return all(result.passes for result in results)
