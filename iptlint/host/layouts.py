"""What loads rules at boot, a row a service: its names, and what it does.

What a row does not say is looked up in the unit itself (``hooks``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from iptlint.host.gathered import Gathered
from iptlint.host.places import UNIT_DIRECTORIES
from iptlint.model import Family
from iptlint.model.host import Load, Loader, Way
from iptlint.source import SourceFile, Span


@dataclass(frozen=True, slots=True)
class Service:
    """``names``: of its unit or init script; of ``files``, those are loaded that are there, of
    those in one tuple the first. ``switch``: a file, and what it says where the service is on.
    """

    name: str
    names: tuple[str, ...]
    way: Way
    files: tuple[tuple[str, ...], ...] = ()
    switch: tuple[str, str] | None = None


def _loads(name: str, names: tuple[str, ...], *files: tuple[str, ...]) -> Service:
    return Service(name, names, Way.LOADS, files)


def _makes(name: str, *names: str, switch: tuple[str, str] | None = None) -> Service:
    return Service(name, names or (name,), Way.MAKES, (), switch)


SERVICES = (
    _loads(
        "netfilter-persistent",
        ("netfilter-persistent", "iptables-persistent"),
        ("/etc/iptables/rules.v4",),
        ("/etc/iptables/rules.v6",),
    ),
    _loads(
        "iptables.service",
        ("iptables",),
        (
            "/etc/sysconfig/iptables",
            "/etc/iptables/iptables.rules",
            "/etc/iptables/rules-save",
            "/var/lib/iptables/rules-save",
            "/etc/iptables/rules.v4",
        ),
    ),
    _loads(
        "ip6tables.service",
        ("ip6tables",),
        (
            "/etc/sysconfig/ip6tables",
            "/etc/iptables/ip6tables.rules",
            "/etc/iptables/rules6-save",
            "/var/lib/ip6tables/rules-save",
            "/etc/iptables/rules.v6",
        ),
    ),
    _loads(
        "nftables.service",
        ("nftables",),
        (
            "/etc/sysconfig/nftables.conf",
            "/etc/nftables.nft",
            "/etc/nftables.conf",
            "/var/lib/nftables/rules-save",
        ),
    ),
    _makes("ufw", switch=("/etc/ufw/ufw.conf", r"^[ \t]*ENABLED=\"?[Yy][Ee][Ss]\"?")),
    _makes("firewalld"),
    _makes("NixOS", "firewall"),
    _makes("shorewall", "shorewall", "shorewall6", "shorewall-lite", "shorewall6-lite"),
    _makes("ferm"),
    _makes("firehol"),
    _makes("foomuuri"),
    _makes("csf", "csf", "lfd"),
    _makes("apf"),
    _makes("vuurmuur"),
    _makes("arno-iptables-firewall"),
    _makes("SuSEfirewall2", "SuSEfirewall2", "SuSEfirewall2_init", "SuSEfirewall2_setup"),
    _makes("the Proxmox firewall", "pve-firewall", "proxmox-firewall"),
    _makes("nft-blackhole"),
)
_BY_NAME = {name: service for service in SERVICES for name in service.names}

SOFTWARE = (
    *("docker", "containerd", "podman", "netavark-*", "kubelet", "k3s", "k3s-agent", "rke2-*"),
    *("fail2ban", "sshguard", "crowdsec*", "libvirtd", "virtnetworkd", "tailscaled", "miniupnpd"),
    *("lxc-net", "lxd", "incus", "snap.lxd.*", "openvpnas", "NetworkManager", "systemd-networkd"),
    *("cilium*", "calico*", "flanneld", "weave*", "wg-quick@*", "mullvad*"),
)
"""Whose rules are known by their names (``model.owners``); they make them when they start."""

_ENABLED = re.compile(
    r"/(?:etc|run|usr/local/lib|usr/lib|lib)/systemd/(?:system|generator(?:\.late)?)"
    r"/[^/]+\.(?:wants|requires)/([^/]+)\.service"
)
_RUNLEVEL = re.compile(r"/etc/runlevels/[^/]+/([^/]+)")
_RC = re.compile(r"/etc/(?:rc\.d/)?rc(?:[2-5S])?\.d/S\d*([^/]+)")


@dataclass(frozen=True, slots=True)
class Enabled:
    """A service that is started at boot, by the link that says so; ``link`` is empty where
    systemctl does."""

    name: str
    link: str
    target: str


def enabled(gathered: Gathered) -> dict[str, Enabled]:
    """By name: the link's, and that of what it leads to, which may be another."""
    services: dict[str, Enabled] = {}
    for link, target in sorted(gathered.links.items()):
        for pattern in (_ENABLED, _RUNLEVEL, _RC):
            match = pattern.fullmatch(link)
            if match is None or (pattern is _RC and _has_unit(gathered, match[1])):
                continue  # systemd looks at no other script where there is a unit
            if not _is_masked(gathered, match[1]):
                real = _behind(gathered, target)
                services.setdefault(_real_name(match[1], real), Enabled(match[1], link, real))
    for line in gathered.printed("units").splitlines():
        unit, state, *_ = (*line.split(), "", "")
        name = unit.removesuffix(".service")
        if state in ("enabled", "enabled-runtime", "generated") and name not in services:
            services[name] = Enabled(name, "", "")
    return services


def _has_unit(gathered: Gathered, name: str) -> bool:
    units = (f"{directory}/{name}.service" for directory in UNIT_DIRECTORIES)
    return any(unit in gathered.files or unit in gathered.links for unit in units)


def _behind(gathered: Gathered, target: str) -> str:
    """Where the link leads in the end: a unit may be an alias of another."""
    seen: set[str] = set()
    while target not in seen:
        seen.add(target)
        name = target.rpartition("/")[2]
        others = (f"{directory}/{name}" for directory in UNIT_DIRECTORIES)
        target = next((gathered.links[o] for o in others if o in gathered.links), target)
    return target


def _real_name(name: str, target: str) -> str:
    """`iptables.service` of Debian is an alias of netfilter-persistent."""
    real = target.rpartition("/")[2].removesuffix(".service")
    return real if real in _BY_NAME else name


def _is_masked(gathered: Gathered, name: str) -> bool:
    units = (f"{directory}/{name}.service" for directory in UNIT_DIRECTORIES)
    return any(gathered.links.get(unit) == "/dev/null" for unit in units)


def is_known(gathered: Gathered) -> bool:
    """Whether there is an init system here whose services can be told."""
    return any(p.fullmatch(link) for link in gathered.links for p in (_ENABLED, _RUNLEVEL, _RC))


def is_nixos(gathered: Gathered) -> bool:
    release = gathered.text("/etc/os-release")
    return bool(re.search(r'^ID="?nixos', release, re.MULTILINE)) or any(
        target.startswith("/nix/store/") for target in gathered.links.values()
    )


def services(gathered: Gathered) -> Iterator[Loader]:
    """The services that load or make rules and are switched on."""
    nixos = is_nixos(gathered)
    for name, one in enabled(gathered).items():
        service = _BY_NAME.get(name)
        if service is None or not _is_on(gathered, service):
            continue
        if nixos and name in ("firewall", "nftables", "iptables"):
            yield Loader("NixOS", Way.MAKES, span(one))
        elif name != "firewall":
            yield _loader(gathered, service, one)
        else:
            yield Loader("firewall.service", Way.UNCLEAR, span(one))


def _is_on(gathered: Gathered, service: Service) -> bool:
    if service.switch is None:
        return True
    path, wanted = service.switch
    # Where the switch may not be read, the service may be on.
    there = path in gathered.files
    return not there or re.search(wanted, gathered.text(path), re.MULTILINE) is not None


def _loader(gathered: Gathered, service: Service, one: Enabled) -> Loader:
    present = {*gathered.files, *(unread.what for unread in gathered.unread)}
    choices = (next((p for p in paths if p in present), None) for paths in service.files)
    files = tuple(Load(path, _family(path)) for path in choices if path is not None)
    return Loader(service.name, service.way, span(one), files)


def _family(path: str) -> Family | None:
    """Of a row's files; those of nft say themselves what they are for."""
    if "nft" in path:
        return None
    return Family.IP6 if "6" in path.rpartition("/")[2] or "ip6" in path else Family.IP


def span(one: Enabled) -> Span:
    """The link that starts the service."""
    text = f"{one.name} -> {one.target}" if one.link else f"{one.name}.service enabled"
    return SourceFile(one.link or "systemctl list-unit-files", text).line_span(1)
