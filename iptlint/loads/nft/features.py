"""What a version brought, or took away, as a row; and rows that only the place of a use decides.

``nft`` is the release that first has the commit (``git describe --contains`` in its repository);
``kernel`` the release whose changelog has it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from iptlint.dialects.nft import tree as t
from iptlint.loads.refusal import Stage
from iptlint.loads.target import Target, Version, spelled

Uses = Callable[[t.Node], bool]


@dataclass(frozen=True, slots=True)
class Feature:
    """``what`` is the subject of a sentence; ``decided``: the commits that brought it. ``uses``
    is None where more than the node decides whether it is used."""

    what: str
    nft: Version | None
    kernel: Version | None
    decided: str
    uses: Uses | None = None
    stage: Stage = Stage.READING

    def lack(self, target: Target) -> tuple[str, str] | None:
        """What the target does not have of it, and what to do."""
        needs = [
            f"{tool} {spelled(first)}: {target.name} has {spelled(own)}"
            for tool, first, own in (
                ("nft", self.nft, target.nft),
                ("Linux", self.kernel, target.kernel),
            )
            if first is not None and own is not None and own < first
        ]
        if not needs:
            return None
        return f"{self.what} needs {', and '.join(needs)}", "do without it, or use later versions"


@dataclass(frozen=True, slots=True)
class Restriction:
    """What Linux refuses from a release on, and took before; ``nft``: from then on the tool gives
    the kernel something else."""

    what: str
    kernel: Version
    decided: str
    nft: Version | None = None

    def forbids(self, target: Target) -> str | None:
        if target.kernel is None or target.kernel < self.kernel:
            return None
        if self.nft is not None and (target.nft is None or target.nft >= self.nft):
            return None
        since = f"Linux {spelled(self.kernel)}"
        return f"{self.what} is refused since {since}: {target.name} has {spelled(target.kernel)}"


@dataclass(frozen=True, slots=True)
class Fault:
    """What nft itself does wrong, so that the kernel refuses the file: in which releases."""

    what: str
    first: Version
    last: Version
    decided: str
    stage: Stage = Stage.KERNEL

    def shows(self, target: Target) -> str | None:
        if target.nft is None or not self.first <= target.nft <= self.last:
            return None
        releases = f"nft {spelled(self.first)} to {spelled(self.last)}"
        return f"{self.what} is refused with {releases}: {target.name} has {spelled(target.nft)}"


def _evaluated(what: str, nft: Version, decided: str) -> Feature:
    return Feature(what, nft, None, f"nft {decided}", stage=Stage.EVALUATION)


MARK_OF_ANOTHER_TYPE = _evaluated("a mark made of something else", (1, 0, 8), "5d8e33dd")
MARKS_ASKED = _evaluated("a map of marks that is asked for something else", (1, 0, 9), "7b491e0c")
TYPE_OF_PORTS = _evaluated("ct proto-dst of an unknown protocol", (1, 0, 7), "f470e181")
PORTS_OF_A_SET = _evaluated(
    "a port in a set whose declaration has `typeof ct … proto-dst`",
    (1, 0, 7),
    "f470e181",
)
NUMBER_ADDED = _evaluated("a number in what a rule adds to a set", (1, 0, 7), "4cc6b20d")
VLAN_LATER = _evaluated("a test of vlan behind one of what it carries", (1, 1, 0), "d1a7e74d")
NO_DEVICE = Feature(
    "a chain at ingress or egress without a device",
    (1, 0, 8),
    (6, 4),
    "nft a66b5ad9, Linux 207296f1a03b",
    stage=Stage.EVALUATION,
)
FAMILY_OF_A_MAP = _evaluated("a family that only a map tells", (1, 0, 7), "2f4935a8")
PORT_OF_A_MAP = _evaluated("a protocol that only the map of a port tells", (1, 0, 8), "2c227f00")
DYNAMIC_MAP = Feature(
    "adding to a map with a size and without `flags dynamic`",
    (1, 1, 1),
    None,
    "src/evaluate.c stmt_evaluate_map, which sets no flag up to nft 1.1.0",
    stage=Stage.KERNEL,
)
SINGLE_AMONG_RANGES = Restriction(
    "a single value in a map to ranges", (5, 19), "Linux 7e6bc1f6cabc, nft ddb96260", (1, 0, 7)
)
DYNAMIC_IN_JSON = Feature("the flag dynamic in JSON", (1, 0, 9), None, "nft 57f5aca0")
METER_TWICE = Restriction(
    "a meter with the name of another one", (6, 4), "Linux b770283c98e0, nft b8f8ddff", (1, 1, 0)
)
SET_AGAIN = Restriction("a set declared again with other terms", (6, 2), "Linux f6594c372afd")
FLAGS_TWICE = Restriction(
    "a table whose flags change twice in a file", (6, 6), "Linux c9bd26513b3a"
)
METER_OF_A_SET = Restriction("a meter with the name of a set", (6, 2), "Linux f6594c372afd")
CHAIN_AFTER_FLAGS = Restriction(
    "a base chain of a table whose flags the same file changes", (6, 9), "Linux 994209ddf4f4"
)
OBJECT_IN_PLACE = Restriction(
    "a synproxy object in a chain where synproxy does not work", (6, 18), "Linux f359b809d54c"
)
