"""An edit is asked about the packets of the rules that it touches, and the answer is the same."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

import iptlint
from iptlint.analysis import diff
from iptlint.analysis.diff import Difference, difference
from iptlint.analysis.unlike_rules import packets_of_unlike_rules
from iptlint.model import Field, Ruleset
from iptlint.netfilter.firewall import space_of
from iptlint.packets.space import Space
from tests.oracle.generate import random_ruleset

if TYPE_CHECKING:
    from iptlint.packets.bdd import PacketSet

FILTER = (
    "*filter\n:INPUT {policy} [0:0]\n:FORWARD DROP [0:0]\n:OUTPUT ACCEPT [0:0]\n{rules}COMMIT\n"
)
NAT = (
    "*nat\n:PREROUTING ACCEPT [0:0]\n"
    "-A PREROUTING -p tcp --dport 80 -j DNAT --to 10.0.0.2\nCOMMIT\n"
)
WEB, SSH, LOG = "-p tcp --dport 80 -j ACCEPT", "-p tcp --dport 22 -j ACCEPT", "-j LOG"


def saved(*rules: str, policy: str = "DROP", more: str = "") -> Ruleset:
    lines = "".join(f"-A INPUT {rule}\n" for rule in rules)
    return iptlint.read(FILTER.format(policy=policy, rules=lines) + more)


def asked(old: Ruleset, new: Ruleset) -> tuple[Space, PacketSet | None]:
    space = space_of(old, new)
    return space, packets_of_unlike_rules(space, old, new)


def of_ports(space: Space, *ports: int) -> PacketSet:
    tcp = space.value(Field.PROTO, 6)
    return tcp & space.ranges(Field.DPORT, tuple((port, port) for port in ports))


@pytest.mark.parametrize(
    ("old", "new", "ports"),
    [
        ((SSH, WEB), (SSH, WEB), ()),
        ((SSH, WEB), (SSH,), (80,)),
        ((SSH, LOG), (SSH, WEB, LOG), (80,)),
        ((SSH, WEB, SSH), (SSH, WEB), (22,)),
    ],
)
def test_only_packets_of_rules_that_one_side_has_are_asked_about(
    old: tuple[str, ...], new: tuple[str, ...], ports: tuple[int, ...]
) -> None:
    space, packets = asked(saved(*old), saved(*new))
    assert packets == (of_ports(space, *ports) if ports else space.false)


def test_where_all_rules_are_alike_no_packet_fares_otherwise() -> None:
    """Whatever they translate, and whatever is left open."""
    limited = "-m limit --limit 3/min -j LOG"
    one, other = saved(SSH, limited, more=NAT), saved(SSH, limited, more=f"# as before\n{NAT}")
    space, packets = asked(one, other)
    assert packets == space.false
    assert difference(one, other).equivalent


def test_of_rules_that_changed_places_one_is_asked_about() -> None:
    space, packets = asked(saved(SSH, WEB, "-j DROP"), saved(WEB, SSH, "-j DROP"))
    assert packets in (of_ports(space, 22), of_ports(space, 80))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (saved(SSH), saved(SSH, policy="ACCEPT")),
        (saved(SSH), saved()),
        (saved(SSH, more=NAT), saved(WEB, more=NAT)),
        (saved(SSH, "-m limit --limit 3/min -j LOG"), saved(SSH)),
        (saved(SSH, "-m recent --name a --set"), saved(SSH)),
    ],
    ids=["policy", "empty chain", "translation", "limit", "set"],
)
def test_where_other_packets_may_fare_otherwise_all_are_asked_about(
    old: Ruleset, new: Ruleset
) -> None:
    assert asked(old, new)[1] is None


def test_a_mark_may_have_been_set_on_the_way() -> None:
    marking = "-p tcp --dport 22 -j MARK --set-mark 1"
    marked = "-m mark --mark 1 -j ACCEPT"
    difference_ = difference(saved(marking, marked), saved(marking))
    (change,) = difference_.changes
    assert change.witness.dport == 22


def _edited(rng: random.Random, text: str) -> str:
    lines = text.splitlines()
    rules = [number for number, line in enumerate(lines) if line.startswith("-A")]
    one, other = rng.sample(rules, 2)
    match rng.randrange(4):
        case 0:
            del lines[one]
        case 1:
            lines[one], lines[other] = lines[other], lines[one]
        case 2:
            lines.insert(one, lines[other])
        case _:
            swap = {"ACCEPT": "DROP", "DROP": "ACCEPT"}
            lines[one] = " ".join(swap.get(word, word) for word in lines[one].split(" "))
    return "\n".join(lines) + "\n"


def _told(found: Difference) -> object:
    return found.certain, [
        (str(c.hook), str(c.witness), c.packets.sat_count_float(200), c.certain, c.old, c.new)
        for c in found.changes
    ]


@pytest.mark.parametrize("seed", range(30))
def test_the_answer_is_that_of_all_packets(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = random.Random(seed)
    text = random_ruleset(seed, rules=25, family=rng.choice(["ip", "ip6"])).text
    old, new = iptlint.read(text), iptlint.read(_edited(rng, text))
    narrowed = _told(difference(old, new))
    monkeypatch.setattr(diff, "packets_of_unlike_rules", lambda *_: None)
    assert narrowed == _told(difference(old, new))
