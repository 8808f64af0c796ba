"""The short ways to the parts that nearly all rules have give what the long way gives."""

from __future__ import annotations

import random

import pytest

from iptlint.dialects.iptables.lowering.parts import Cell, CoreCell
from iptlint.dialects.iptables.lowering.plan import Plan
from iptlint.dialects.iptables.lowering.short_cells import (
    AddressCell,
    CommentCell,
    PortCell,
    TranslationCell,
)
from iptlint.dialects.iptables.parsing.shapes import resolve
from iptlint.dialects.iptables.parsing.tree import Shape
from iptlint.model import Family

ADDRESSES = (
    *("192.0.2.7", "192.0.2.7/32", "192.0.2.7/24", "0.0.0.0/0", "0.0.0.0/1", "10.1", "10.1/8"),
    *("192.0.2.7/", "192.0.2.7/024", "192.0.2.7/33", "192.0.2.7/255.255.0.0", "::ffff:1.2.3.4"),
    *("192.0.2.1,192.0.2.2", "1.2.3.4/255.0.255.0", "example.org", "example.org/24", "0x10.1.2.3"),
    *("", "/", "/8", "\0", "\udcff", "2001:db8::1/ffff::", "1.2.3", "1.2.3.4.5", "٣.1.1.1"),
    *("2001:db8::1", "2001:db8::1/128", "2001:db8::/33", "::/0", "::", "::1.2.3.4/96", "::1/129"),
)
PORTS = (
    *("22", "0", "1", "65535", "65536", "022", "0x16", "ssh", "22:23", ":22", "22:", "23:22"),
    *("0:65535", "", "-1", "+1", " 1", "99999", "100000", "\u0662", "²", "nothing"),
)


def plan_of(option: str, family: Family) -> Plan:
    shape = resolve(("-A", "INPUT", *option.split(), "x"), family, in_table=True)
    assert isinstance(shape, Shape)
    return Plan(shape, family, {})


def seen(part: object) -> str:
    """Equal where parts say the same; of a reason only its text is compared."""
    return repr(part)


@pytest.mark.parametrize("family", [Family.IP, Family.IP6])
@pytest.mark.parametrize("option", ["-s", "! -d", "--source"])
def test_addresses(option: str, family: Family) -> None:
    cell = plan_of(option, family).cells[-1]
    assert isinstance(cell, AddressCell)
    for text in ADDRESSES:
        words = ("-A", "INPUT", *option.split(), text)
        assert seen(cell.part(words)) == seen(CoreCell.part(cell, words)), text


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    "option",
    ["-m tcp --dport", "-m udp ! --sport", "-p tcp --dport", "-m sctp --sport", "-m dccp --dport"],
)
def test_ports(option: str, seed: int) -> None:
    dice = random.Random(seed)
    cell = plan_of(option, Family.IP).cells[-1]
    assert isinstance(cell, PortCell)
    for text in dice.sample(PORTS, len(PORTS)) * 2:
        words = ("-A", "INPUT", *option.split(), text)
        assert seen(cell.part(words)) == seen(Cell.part(cell, words)), text


COMMENTS = (
    *("web", "", "two words", "a" * 255, "a" * 256, "ä" * 127, "ä" * 128, "\udcff", "\0", "-j"),
)


def test_comments() -> None:
    cell = plan_of("-m comment --comment", Family.IP).cells[-1]
    assert isinstance(cell, CommentCell)
    for text in COMMENTS:
        words = ("-A", "INPUT", "-m", "comment", "--comment", text)
        assert seen(cell.part(words)) == seen(Cell.part(cell, words)), text


ENDS = (
    *("192.0.2.7:80", "192.0.2.8:65535", "192.0.2.7", ":80", "192.0.2.7:", "192.0.2.7:0"),
    *("192.0.2.7:080", "192.0.2.7:80-90", "192.0.2.7:80-90/100", "192.0.2.7-192.0.2.9:80"),
    *("192.0.2.07:80", "192.0.2:80", "0.0.0.0:1", "192.0.2.7/32:80", "192.0.2.7:http", ""),
    *("[2001:db8::1]:80", "2001:db8::1", "[2001:db8::1]", "::", "::1:80", "192.0.2.7:80:81"),
)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("family", [Family.IP, Family.IP6])
@pytest.mark.parametrize(
    "option", ["-p tcp -j DNAT --to-destination", "-p udp -j SNAT --to-source"]
)
def test_translations(option: str, family: Family, seed: int) -> None:
    dice = random.Random(seed)
    cell = plan_of(option, family).cells[-1]
    assert isinstance(cell, TranslationCell)
    for text in dice.sample(ENDS, len(ENDS)) * 2:
        words = ("-A", "INPUT", *option.split(), text)
        made, known = cell.part(words), Cell.part(cell, words)
        assert seen(made) == seen(known), text
        if made.action is not None and known.action is not None:
            one, other = made.action.verdict, known.action.verdict
            assert (one and one.words) == (other and other.words)
