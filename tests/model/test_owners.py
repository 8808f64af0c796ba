"""Software is known by the names that it gives."""

from __future__ import annotations

import pytest

from iptlint.model.owners import (
    OWNERS,
    owner_of_comment,
    owner_of_interface,
    owner_of_name,
    owner_of_table,
)


@pytest.mark.parametrize(
    ("chain", "name"),
    [
        ("tcpre", "shorewall"),
        ("net_frwd", "shorewall"),
        ("eth0_dynf", "shorewall"),
        ("input_guest_rule", "openwrt"),
        ("KIND-MASQ-AGENT", "kind"),
        ("eth0_in", None),
        ("tcp", None),
        ("docker", None),
    ],
)
def test_a_chain_is_known_by_its_name(chain: str, name: str | None) -> None:
    owner = owner_of_name(chain)
    assert (owner.name if owner else None) == name


@pytest.mark.parametrize(
    ("interface", "name"),
    [
        ("docker0", "docker"),
        ("br-0123456789ab", "docker"),
        ("virbr0-nic", "libvirt"),
        ("cali0a1b2c3d4e5", "calico"),
        ("flannel.1", "flannel"),
        ("cni0", "CNI"),
        ("tailscale0", "tailscale"),
        ("br-lan", None),
        ("br-0123456789xy", None),
        ("eth0", None),
        ("tun0", None),
    ],
)
def test_an_interface_is_known_by_its_name(interface: str, name: str | None) -> None:
    owner = owner_of_interface(interface)
    assert (owner.name if owner else None) == name


@pytest.mark.parametrize(
    ("chain", "name"),
    [
        ("DOCKER", "docker"),
        ("DOCKER-USER", "docker"),
        ("KUBE-SVC-TCOU7JCQXEZGVUNU", "kube-proxy"),
        ("KUBE-ROUTER-INPUT", "kube-router"),
        ("cali-FORWARD", "calico"),
        ("CILIUM_POST_nat", "cilium"),
        ("f2b-sshd", "fail2ban"),
        ("FI-vnet12", "libvirt"),
        ("NETAVARK-1D8721804F16F", "podman"),
        ("ts-forward", "tailscale"),
        ("ufw6-user-input", "ufw"),
        ("IN_public_allow", "firewalld"),
        ("FORWARD_IN_ZONES_SOURCE", "firewalld"),
        ("net2fw", "shorewall"),
        ("zone_wan_dest_ACCEPT", "openwrt"),
    ],
)
def test_owner(chain: str, name: str) -> None:
    owner = owner_of_name(chain)
    assert owner is not None
    assert owner.name == name


@pytest.mark.parametrize(
    "chain",
    [
        *("INPUT", "IN_ssh", "IN_web_allow", "ts-server", "LOGDROP", "tcp", "syn_flood", "fw-web"),
        *("docker", "DOCKERS", "KUBE", "cali", "loc-loc", "reject", "web_direct", "POST_web"),
    ],
)
def test_ordinary_names_are_nobodys(chain: str) -> None:
    assert owner_of_name(chain) is None


def test_managers_are_not_transient_and_some_chains_are_the_users() -> None:
    docker, ufw = owner_of_name("DOCKER-USER"), owner_of_name("ufw-user-input")
    assert docker is not None
    assert docker.transient
    assert docker.leaves_to_user("DOCKER-USER")
    assert not docker.leaves_to_user("DOCKER")
    assert ufw is not None
    assert not ufw.transient


@pytest.mark.parametrize(
    ("name", "owner"),
    [
        ("firewalld", "firewalld"),
        ("f2b-table", "fail2ban"),
        ("crowdsec6", "crowdsec"),
        ("libvirt_network", "libvirt"),
        ("docker-bridges", "docker"),
        ("netavark", "podman"),
        ("kube-proxy", "kube-proxy"),
        ("nm-shared-wlan0", "NetworkManager"),
        ("wg-quick-wg0", "wg-quick"),
        ("io.systemd.nat", "systemd-networkd"),
        ("fw4", "openwrt"),
    ],
)
def test_owner_of_a_table(name: str, owner: str) -> None:
    found = owner_of_table(name)
    assert found is not None
    assert found.name == owner


@pytest.mark.parametrize("name", ["filter", "nat", "firewall", "lxc2", "docker", "my-f2b-table"])
def test_tables_of_people(name: str) -> None:
    assert owner_of_table(name) is None


@pytest.mark.parametrize(
    ("comment", "name"),
    [
        ("cali:wUHhoiAYhphO9Mso", "calico"),
        ("flanneld forward", "flannel"),
        ("!fw3: Accept", "openwrt"),
        ("my cali:rule", None),
        ("kubernetes api", None),
    ],
)
def test_a_rule_is_known_by_its_comment(comment: str, name: str | None) -> None:
    owner = owner_of_comment(comment)
    assert (owner.name if owner else None) == name


def test_what_software_generates() -> None:
    docker, ufw = owner_of_name("DOCKER"), owner_of_name("ufw-before-input")
    assert docker is not None
    assert ufw is not None
    assert docker.generates("DOCKER")
    assert not docker.generates("DOCKER-USER")
    assert not ufw.generates("ufw-before-input")


def test_each_owner_has_a_name_of_its_own() -> None:
    assert len({owner.name for owner in OWNERS}) == len(OWNERS)
