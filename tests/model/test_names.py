"""What names tell by custom: model/names.py."""

from __future__ import annotations

import pytest

from iptlint.model import names


@pytest.mark.parametrize(
    "interface", ["lo", "docker0", "br-1a2b3c", "wg0", "lan1", "myvpn", "waydroid0"]
)
def test_interfaces_behind_which_the_world_is_not(interface: str) -> None:
    assert names.is_inside(interface)
    assert not names.is_outward(interface)


@pytest.mark.parametrize("interface", ["wan", "br-wan", "ppp0", "ext1"])
def test_interfaces_that_lead_to_the_world(interface: str) -> None:
    assert names.is_outward(interface)
    assert not names.is_inside(interface)


@pytest.mark.parametrize(
    ("interface", "passing"),
    [
        ("tun0", True),
        ("br-lan", True),
        ("eth0.7", True),
        ("docker0", True),
        ("waydroid0", True),
        ("eth0", False),
    ],
)
def test_interfaces_that_something_makes_after_boot(interface: str, passing: bool) -> None:
    assert names.comes_and_goes(interface) is passing


def test_the_second_of_its_kind() -> None:
    assert names.is_second("eth1")
    assert not names.is_second("eth0")


def test_chains_sets_and_hosts() -> None:
    assert names.is_for_users("input-CUSTOM")
    assert not names.is_for_users("web")
    assert names.maker_of_set("cilium_node_set_v4") == "cilium"
    assert names.maker_of_set("crowdsec6-blacklists") == "crowdsec"
    assert names.maker_of_set("friends") is None
    assert names.is_in_hosts("LOCALHOST")
    assert not names.is_in_hosts("example.org")


def test_files_of_one_family() -> None:
    assert names.is_of_ipv6("rules.v6")
    assert names.is_of_ipv6("ip6tables.rules")
    assert not names.is_of_ipv6("rules.v4")
    assert names.without_family("ip6tables.rules") == names.without_family("iptables.rules")
    assert names.without_family("rules.v6") == names.without_family("rules.v4")


@pytest.mark.parametrize(
    ("word", "is_none"),
    [("ppp", True), ("eth", True), ("ppp0", False), ("tun", False), ("wg", False), ("br", False)],
)
def test_the_kernel_numbers_links_of_ppp_and_ethernet_cards(word: str, is_none: bool) -> None:
    """`ppp%d` and `eth%d` are its names for them; tunnels and bridges are called as one likes."""
    kind = names.NoInterface.UNNUMBERED if is_none else None
    assert names.no_interface(word) is kind
