"""Software that writes chains, tables and rules of its own into a firewall, known by names.

A pattern is a whole name or comment; ``*`` stands for any characters. A name that people give
their own chains or tables too is left out: what is nobody's here is looked at as the user's.
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
    its chains that are made for the user's rules, or that the user has to make. ``comments``:
    of the comments on its rules, wherever they are. ``interfaces``: of the interfaces that it
    makes, and rules for in built-in chains.
    """

    name: str
    chains: tuple[str, ...]
    transient: bool
    saved_by_user: tuple[str, ...] = ()
    tables: tuple[str, ...] = ()
    comments: tuple[str, ...] = ()
    interfaces: tuple[str, ...] = ()

    def leaves_to_user(self, chain_name: str) -> bool:
        """Whether the chain is there for the user to fill."""
        return _pattern(self.saved_by_user).fullmatch(chain_name) is not None

    def generates(self, chain_name: str) -> bool:
        """Whether it writes its chain of this name anew at every start."""
        return self.transient and not self.leaves_to_user(chain_name)


def _transient(
    name: str,
    *chains: str,
    saved_by_user: tuple[str, ...] = (),
    tables: tuple[str, ...] = (),
    comments: tuple[str, ...] = (),
    interfaces: tuple[str, ...] = (),
) -> Owner:
    names = (*chains, *saved_by_user)
    return Owner(name, names, True, saved_by_user, tables, comments, interfaces)


def _manager(
    name: str,
    *chains: str,
    saved_by_user: tuple[str, ...] = (),
    tables: tuple[str, ...] = (),
    comments: tuple[str, ...] = (),
) -> Owner:
    return Owner(name, (*chains, *saved_by_user), False, saved_by_user, tables, comments)


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

_SHOREWALL_PARTS = ("iop", "dyni", "dynf", "dyno")
"""Of the chains that shorewall makes for each interface."""

_OPENWRT_ZONES = ("lan", "wan", "wan6", "wwan", "guest", "dmz", "vpn", "iot")

_KUBE_PROXY = (  # not all of KUBE-*: people have a KUBE-PUBLIC
    *("KUBE-SERVICES", "KUBE-SVC-*", "KUBE-SVL-*", "KUBE-SEP-*", "KUBE-EXT-*", "KUBE-XLB-*"),
    *("KUBE-FW-*", "KUBE-EXTERNAL-*", "KUBE-NODE-PORT*", "KUBE-NODEPORT*", "KUBE-MARK-*"),
    *("KUBE-PROXY-*", "KUBE-FORWARD", "KUBE-POSTROUTING", "KUBE-FIREWALL", "KUBE-LOAD-BALANCER*"),
    *("KUBE-SOURCE-*", "KUBE-CLUSTER-IP", "KUBE-LOOP-BACK", "KUBE-IPVS-*", "KUBE-PORTALS-*"),
    *("KUBE-KUBELET-*", "KUBE-IPTABLES-HINT", "KUBE-HOSTPORTS", "KUBE-HP-*"),
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
        interfaces=("docker0", "docker_gwbridge", "br-" + "?" * 12),
    ),
    _transient(
        "kube-router",
        *("KUBE-ROUTER-*", "KUBE-POD-FW-*", "KUBE-NWPLCY-*"),
        comments=("kube-router *",),
        interfaces=("kube-bridge",),
    ),
    _transient(
        "kube-proxy",
        *_KUBE_PROXY,
        tables=("kube-proxy",),
        comments=("kubernetes: SNAT for outbound *", "kubenet: SNAT for outbound *"),
        interfaces=("kube-ipvs0",),
    ),
    _transient(
        "calico",
        *("cali-*", "felix-*"),
        tables=("calico", "calico-arp"),
        comments=("cali:*",),
        interfaces=("cali*", "vxlan.calico"),
    ),
    _transient(
        "cilium",
        *("CILIUM_*", "OLD_CILIUM_*"),
        comments=("cilium: *", "cilium-feeder: *"),
        interfaces=("cilium_host", "cilium_net", "cilium_vxlan", "lxc_health"),
    ),
    _transient(
        "flannel",
        "FLANNEL-*",
        tables=("flannel-ipv4", "flannel-ipv6"),
        comments=("flanneld *",),
        interfaces=("flannel.*",),
    ),
    _transient(
        "weave",
        *("WEAVE", "WEAVE-*"),
        comments=("NOTE: this must go before '-j KUBE-FORWARD'",),
        interfaces=("weave", "vethwe-*"),
    ),
    _transient("antrea", "ANTREA-*", comments=("Antrea: *",), interfaces=("antrea-gw0",)),
    _transient("ovn-kubernetes", "OVN-KUBE-*", tables=("ovn-kubernetes",)),
    _transient(
        "the AWS VPC CNI plugin",
        *("AWS-SNAT-CHAIN-*", "AWS-CONNMARK-CHAIN-*"),
        comments=("AWS SNAT CHAIN*", "AWS, *"),
    ),
    _transient("ip-masq-agent", "IP-MASQ", "IP-MASQ-AGENT", comments=("ip-masq-agent: *",)),
    _transient("kind", "KIND-MASQ-AGENT", comments=("kind-masq-agent: *",)),
    _transient("rancher", "CATTLE_*"),
    _transient(
        "CNI",
        "CNI-*",
        saved_by_user=("CNI-ADMIN", "NOMAD-ADMIN"),
        tables=("cni_hostport", "cni_plugins_masquerade"),
        comments=(
            'name: "*" id: "*"',
            'dnat name: "*" id: "*"',
            "CNI portmap *",
            "CNI portfwd *",
            "CNI firewall plugin *",
        ),
        interfaces=("cni0", "cni-podman0"),
    ),
    _transient(
        "podman",
        *("NETAVARK-*", "NETAVARK_*"),
        tables=("netavark",),
        comments=("netavark *",),
        interfaces=("podman0", "podman1", "podman2"),
    ),
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
        interfaces=("virbr*",),
    ),
    _transient("tailscale", "ts-input", "ts-forward", "ts-postrouting", interfaces=("tailscale*",)),
    _transient("OpenVPN Access Server", "AS0_*"),
    _transient("wg-quick", tables=("wg-quick-*",)),
    _transient("systemd-networkd", tables=("io.systemd.nat",)),
    _transient("NetworkManager", tables=("nm-shared-*",)),
    _transient(
        "Incus",
        tables=("incus",),
        comments=("generated for Incus *",),
        interfaces=("incusbr0",),
    ),
    _transient("LXD", tables=("lxd",), comments=("generated for LXD *",), interfaces=("lxdbr0",)),
    _transient("LXC", tables=("lxc",), interfaces=("lxcbr0",)),
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
        "logreject",
        "tcpflags",
        "dynamic",
        "sfilter",
        "dropBcast",
        "dropInvalid",
        "dropNotSyn",
        "rejNotSyn",
        "allowBcast",
        "allowInvalid",
        "allowinUPnP",
        "forwardUPnP",
        *("tcpre", "tcfor", "tcin", "tcout", "tcpost"),
        *("setsticky", "sticko", "routemark", "blacklst", "*_frwd"),
        *(f"{interface}_{part}" for interface in ("eth*", "ppp*") for part in _SHOREWALL_PARTS),
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
        "fwmark",
        "mssfix",
        "nat_reflection_*",
        saved_by_user=tuple(
            f"{chain}_{suffix}"
            for chain in ("input", "output", "forwarding", "prerouting", "postrouting")
            for suffix in ("rule", *(f"{zone}_rule" for zone in _OPENWRT_ZONES))
        ),
        tables=("fw4",),
        comments=("!fw3*", "!fw4*"),
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
_INTERFACES = tuple(name for owner in OWNERS for name in owner.interfaces)


@cache
def owner_of_name(name: str) -> Owner | None:
    """Whose chain, or set, has such a name; None for a name that people give, or that nobody here
    knows."""
    match = _any_pattern().fullmatch(name)
    by_pattern = match.lastindex - 1 if match and match.lastindex else len(OWNERS)
    first = min(by_pattern, _whole_names().get(name, len(OWNERS)))
    return OWNERS[first] if first < len(OWNERS) else None


@cache
def owner_of_table(name: str) -> Owner | None:
    """Who has the nft table of this name for itself; None for one that people wrote."""
    return next((o for o in OWNERS if _pattern(o.tables).fullmatch(name)), None)


@cache
def owner_of_interface(name: str) -> Owner | None:
    """Who makes the interface, and rules for it in built-in chains."""
    if _pattern(_INTERFACES).fullmatch(name) is None:
        return None  # at one look: rules may name thousands
    return next(o for o in OWNERS if _pattern(o.interfaces).fullmatch(name))


@cache
def owner_of_comment(comment: str) -> Owner | None:
    """Who writes such comments on its rules."""
    return next((o for o in OWNERS if _pattern(o.comments).fullmatch(comment)), None)


@cache
def _whole_names() -> dict[str, int]:
    """The number of the first owner, by the name of a chain; hundreds of names are too many for one
    regular expression of every run."""
    numbers: dict[str, int] = {}
    for number, owner in enumerate(OWNERS):
        for name in owner.chains:
            numbers.setdefault(name, number)
    return numbers


@cache
def _any_pattern() -> re.Pattern[str]:
    """One group for each owner, so that the last group matched is its number."""
    patterns = ([name for name in owner.chains if {"*", "?"} & {*name}] for owner in OWNERS)
    return re.compile("|".join(f"({_expression(each)})" for each in patterns))


@cache
def _pattern(names: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile(_expression(names))


def _expression(names: Iterable[str]) -> str:
    """A name written without ``*`` matches itself only; no names match nothing. ``?`` is a digit
    of a hexadecimal number."""
    escaped = (re.escape(name) for name in names)
    return "|".join(e.replace(r"\*", ".*").replace(r"\?", "[0-9a-f]") for e in escaped) or r"(?!)"
