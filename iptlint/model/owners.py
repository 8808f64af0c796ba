"""Software that writes chains and tables of its own into a firewall, known by their names.

A pattern is a whole name; ``*`` stands for any characters. A name that people give their own
chains or tables too is left out: what is nobody's here is looked at as the user's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache


@dataclass(frozen=True, slots=True)
class Owner:
    """``chains``: patterns of the names it writes. ``tables``: of those of nft that it has alone.

    ``transient``: it makes its rules anew at start, so a saved copy is stale; false for
    managers, which keep the user's rules themselves. ``saved_by_user``: patterns of those of
    its chains that are made for the user's rules, or that the user has to make.
    """

    name: str
    chains: tuple[str, ...]
    transient: bool
    saved_by_user: tuple[str, ...] = ()
    tables: tuple[str, ...] = ()

    def leaves_to_user(self, chain_name: str) -> bool:
        """Whether the chain is there for the user to fill."""
        return _pattern(self.saved_by_user).fullmatch(chain_name) is not None


def _transient(
    name: str, *chains: str, saved_by_user: tuple[str, ...] = (), tables: tuple[str, ...] = ()
) -> Owner:
    return Owner(name, (*chains, *saved_by_user), True, saved_by_user, tables)


def _manager(
    name: str, *chains: str, saved_by_user: tuple[str, ...] = (), tables: tuple[str, ...] = ()
) -> Owner:
    return Owner(name, (*chains, *saved_by_user), False, saved_by_user, tables)


_FIREWALLD_ZONES = (
    *("block", "dmz", "drop", "external", "home", "internal", "public", "trusted", "work"),
    *("docker", "libvirt", "libvirt-routed", "nm-shared", "FedoraServer", "FedoraWorkstation"),
)
"""The zones that firewalld, and packages that extend it, bring along."""

_FIREWALLD_DISPATCH = tuple(
    f"{hook}_{part}"
    for hook in ("INPUT", "FORWARD", "OUTPUT", "PREROUTING", "POSTROUTING")
    for part in ("direct", "ZONES", "ZONES_SOURCE", "POLICIES_pre", "POLICIES_post")
)

_FIREWALLD_RULES = tuple(
    f"{prefix}_{zone}{suffix}"
    for prefix in ("IN", "OUT", "FWD", "PRE", "POST")
    for zone in _FIREWALLD_ZONES
    for suffix in ("", "_pre", "_log", "_deny", "_allow", "_post")
)

_SHOREWALL_PAIRS = tuple(
    f"{source}{joint}{destination}"
    for source in ("fw", "net", "loc", "dmz", "all")
    for destination in ("fw", "net", "loc", "dmz", "all")
    for joint in ("2", "-")
    if source != destination or source == "all"
)

OWNERS = (
    _transient(
        "docker",
        "DOCKER",
        "DOCKER-BRIDGE",
        "DOCKER-CT",
        "DOCKER-FORWARD",
        "DOCKER-INGRESS",
        "DOCKER-INTERNAL",
        "DOCKER-ISOLATION",
        "DOCKER-ISOLATION-STAGE-*",
        "DOCKER_OUTPUT",
        "DOCKER_POSTROUTING",
        saved_by_user=("DOCKER-USER",),
        tables=("docker-bridges",),
    ),
    _transient("kube-router", "KUBE-ROUTER-*", "KUBE-POD-FW-*", "KUBE-NWPLCY-*"),
    _transient("kube-proxy", "KUBE-*", tables=("kube-proxy",)),
    _transient("calico", "cali-*", "felix-*", tables=("calico", "calico-arp")),
    _transient("cilium", "CILIUM_*", "OLD_CILIUM_*"),
    _transient("flannel", "FLANNEL-*", tables=("flannel-ipv4", "flannel-ipv6")),
    _transient("weave", "WEAVE", "WEAVE-*"),
    _transient("antrea", "ANTREA-*"),
    _transient("ovn-kubernetes", "OVN-KUBE-*", tables=("ovn-kubernetes",)),
    _transient("the AWS VPC CNI plugin", "AWS-SNAT-CHAIN-*", "AWS-CONNMARK-CHAIN-*"),
    _transient("ip-masq-agent", "IP-MASQ", "IP-MASQ-AGENT"),
    _transient("rancher", "CATTLE_*"),
    _transient(
        "CNI",
        "CNI-*",
        saved_by_user=("CNI-ADMIN", "NOMAD-ADMIN"),
        tables=("cni_hostport", "cni_plugins_masquerade"),
    ),
    _transient("podman", "NETAVARK-*", "NETAVARK_*", tables=("netavark",)),
    _transient("istio", "ISTIO_*", tables=("istio-proxy-*", "istio-ambient-*")),
    _transient("linkerd", "PROXY_INIT_*"),
    _transient("consul", "CONSUL_PROXY_*", "CONSUL_DNS_REDIRECT"),
    _transient("fail2ban", "f2b-*", "fail2ban-*", tables=("f2b-table",)),
    _transient("sshguard", saved_by_user=("sshguard",), tables=("sshguard",)),
    _transient("crowdsec", "CROWDSEC_*", tables=("crowdsec", "crowdsec6")),
    _transient(
        "libvirt",
        "LIBVIRT_*",
        "libvirt-in",
        "libvirt-out",
        "libvirt-in-post",
        "libvirt-host-in",
        "FI-vnet*",
        "FO-vnet*",
        "HI-vnet*",
        tables=("libvirt_network",),
    ),
    _transient("tailscale", "ts-input", "ts-forward", "ts-postrouting"),
    _transient("OpenVPN Access Server", "AS0_*"),
    _transient("wg-quick", tables=("wg-quick-*",)),
    _transient("systemd-networkd", tables=("io.systemd.nat",)),
    _transient("NetworkManager", tables=("nm-shared-*",)),
    _transient("Incus", tables=("incus",)),
    _transient("LXD", tables=("lxd",)),
    _transient("LXC", tables=("lxc",)),
    _transient("the Mullvad client", tables=("mullvad",)),
    _transient(
        "openstack",
        "neutron-*",
        "quantum-*",
        "nova-filter-top",
        "nova-compute-*",
        "nova-network-*",
        "nova-api-*",
    ),
    _transient("miniupnpd", saved_by_user=("MINIUPNPD", "MINIUPNPD-*")),
    _manager(
        "ufw",
        "ufw-*",
        "ufw6-*",
        saved_by_user=tuple(
            f"{ufw}-user-{hook}"
            for ufw in ("ufw", "ufw6")
            for hook in ("input", "output", "forward")
        ),
    ),
    _manager(
        "firewalld",
        *_FIREWALLD_DISPATCH,
        *_FIREWALLD_RULES,
        "FORWARD_IN_ZONES*",
        "FORWARD_OUT_ZONES*",
        "FWDI_*",
        "FWDO_*",
        tables=("firewalld", "firewalld_policy_drop"),
    ),
    _manager(
        "shorewall",
        *_SHOREWALL_PAIRS,
        "shorewall",
        "smurfs",
        "smurflog",
        "logflags",
        "sfilter",
        "dropBcast",
        "dropInvalid",
        "dropNotSyn",
        "rejNotSyn",
        "allowBcast",
        "allowInvalid",
        "allowinUPnP",
        "forwardUPnP",
        "sha-lh-*",
        "sha-rh-*",
        "~log*",
        "~excl*",
        "~comb*",
    ),
    _manager(
        "openwrt",
        "zone_*_input",
        "zone_*_output",
        "zone_*_forward",
        "zone_*_prerouting",
        "zone_*_postrouting",
        "zone_*_notrack",
        "zone_*_ACCEPT",
        "zone_*_DROP",
        "zone_*_REJECT",
        "zone_*_MSSFIX",
        "zone_*_nat",
        "zone_lan",
        "zone_wan",
        "delegate_*",
        "nat_reflection_*",
        saved_by_user=tuple(
            f"{chain}_{suffix}"
            for chain in ("input", "output", "forwarding", "prerouting", "postrouting")
            for suffix in ("rule", "lan_rule", "wan_rule")
        ),
        tables=("fw4",),
    ),
    _manager(
        "the Proxmox firewall",
        "PVEFW-*",
        tables=("proxmox-firewall", "proxmox-firewall-guests"),
    ),
    _manager(
        "csf",
        "LOCALINPUT",
        "LOCALOUTPUT",
        "ALLOWIN",
        "ALLOWOUT",
        "ALLOWDYNIN",
        "ALLOWDYNOUT",
        "DENYIN",
        "DENYOUT",
        "GALLOWIN",
        "GALLOWOUT",
        "GDENYIN",
        "GDENYOUT",
        "LOGDROPIN",
        "LOGDROPOUT",
        "INVDROP",
    ),
    _manager(
        "SuSEfirewall2", "input_ext", "forward_ext", "input_int", "forward_int", "reject_func"
    ),
    _manager("VyOS", "VYATTA_*", "VYOS_*", "UBNT_*", tables=("vyos_*",)),
    _manager("NixOS", tables=("nixos-fw", "nixos-nat")),
)
"""The first whose pattern fits is the owner."""


@cache
def owner_of(chain_name: str) -> Owner | None:
    """Whose chain it is; None for one that people wrote, or that nobody here knows."""
    found = _any_owner().fullmatch(chain_name)
    return OWNERS[found.lastindex - 1] if found and found.lastindex else None


@cache
def owner_of_table(name: str) -> Owner | None:
    """Who has the nft table of this name for itself; None for one that people wrote."""
    return next((o for o in OWNERS if _pattern(o.tables).fullmatch(name)), None)


@cache
def owner_of_interface(name: str) -> str | None:
    """The name of the software that makes the interface, and rules for it in built-in chains."""
    found = _INTERFACES.fullmatch(name)
    return found.lastgroup if found else None


_INTERFACES = re.compile(
    r"(?P<docker>docker0|docker_gwbridge|br-[0-9a-f]{12})|(?P<libvirt>virbr\d+(-nic)?)"
    r"|(?P<podman>(cni-)?podman\d+)|(?P<tailscale>tailscale\d+)"
)


@cache
def _any_owner() -> re.Pattern[str]:
    """One group for each owner, so that the last group matched is its number."""
    return re.compile("|".join(f"({_expression(owner.chains)})" for owner in OWNERS))


@cache
def _pattern(names: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile(_expression(names))


def _expression(names: Iterable[str]) -> str:
    """A name written without ``*`` matches itself only; no names match nothing."""
    return "|".join(re.escape(name).replace(r"\*", ".*") for name in names) or r"(?!)"
