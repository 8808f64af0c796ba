"""What the outputs of the commands say, as facts. What is not understood is not known."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from ipaddress import ip_interface

from iptlint.host.gathered import Gathered
from iptlint.host.routes import routes
from iptlint.model.host import Facts, InterfaceAddress, Listener
from iptlint.model.numbers import decimal, is_decimal

_IPV4_FORWARD = "/proc/sys/net/ipv4/ip_forward"
_IPV6_FORWARD = "/proc/sys/net/ipv6/conf/all/forwarding"
_CONNTRACK = "/proc/sys/net/netfilter/nf_conntrack_"
_DISABLED = re.compile(r"/proc/sys/net/ipv6/conf/([^/]+)/disable_ipv6")
_PORT = re.compile(r"(?mi)^[ \t]*port[ \t=]+\"?([0-9]{1,5})\"?[ \t]*(?:#.*)?$")
_LOCAL = re.compile(r"(.*):([0-9]{1,5})")
_SSH_CONFIG = re.compile(r"/etc/ssh/sshd_config(\.d/.*)?")


def facts(gathered: Gathered) -> Facts:
    addresses = _addresses(gathered)
    listeners = _listeners(gathered)
    return Facts(
        _ssh_ports(gathered, listeners),
        listeners,
        addresses,
        routes(gathered),
        _switch(gathered, _IPV4_FORWARD),
        _switch(gathered, _IPV6_FORWARD),
        _takes_ipv6(gathered, addresses),
        _conntrack(gathered),
        tuple(_versions(gathered)),
    )


def _listeners(gathered: Gathered) -> tuple[Listener, ...] | None:
    """Lines such as ``tcp LISTEN 0 128 0.0.0.0:22 0.0.0.0:*``."""
    output = gathered.outputs.get("ss")
    if output is None or output.status != 0:
        return None
    listeners = (_listener(line.split()) for line in gathered.printed("ss").splitlines())
    return tuple(dict.fromkeys(one for one in listeners if one is not None))


def _listener(words: list[str]) -> Listener | None:
    if len(words) < 5 or words[0] not in ("tcp", "udp"):
        return None
    local = _LOCAL.fullmatch(words[4])
    port = decimal(local[2]) if local else None
    if local is None or not port or port > 65535:
        return None
    address = local[1].partition("%")[0].strip("[]")
    return Listener(words[0], address, port)


def _ssh_ports(gathered: Gathered, listeners: tuple[Listener, ...] | None) -> tuple[int, ...]:
    """Where sshd listens; of the ports that it is told of, those at which something does."""
    configured_ports = _ports(gathered.printed("sshd"))
    if not configured_ports:
        configured = [p for p in gathered.files if _SSH_CONFIG.fullmatch(p)]
        configured_ports = _ports("\n".join(map(gathered.text, configured))) or (
            (22,) if configured else ()
        )
    open_ = {one.port for one in listeners or () if one.protocol == "tcp"}
    return tuple(port for port in configured_ports if port in open_) or configured_ports


def _ports(text: str) -> tuple[int, ...]:
    numbers = map(decimal, _PORT.findall(text))
    return tuple(dict.fromkeys(number for number in numbers if number and number < 65536))


def _addresses(gathered: Gathered) -> tuple[InterfaceAddress, ...] | None:
    text = gathered.printed("addresses")
    try:
        return tuple(_each_address(json.loads(text))) if text else None
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None


def _each_address(links: list[dict[str, object]]) -> Iterator[InterfaceAddress]:
    for link in links:
        given = link.get("addr_info")
        for one in given if isinstance(given, list) else []:
            if "local" in one:
                text = f"{one['local']}/{one['prefixlen']}"
                yield InterfaceAddress(str(link["ifname"]), ip_interface(text))


def _takes_ipv6(gathered: Gathered, addresses: tuple[InterfaceAddress, ...] | None) -> bool | None:
    """False only where every interface has it switched off, or the kernel has none of it and no
    interface an address."""
    if not gathered.live:
        return None
    switches = {
        match[1]: gathered.text(path).strip()
        for path in gathered.files
        if (match := _DISABLED.fullmatch(path))
    }
    if switches:
        return any(value != "1" for name, value in switches.items() if name != "lo")
    if addresses is None:
        return None
    return True if any(one.address.version == 6 for one in addresses) else None


def _switch(gathered: Gathered, path: str) -> bool | None:
    value = gathered.text(path).strip()
    return value != "0" if is_decimal(value) else None


def _conntrack(gathered: Gathered) -> tuple[int, int] | None:
    count, most = (decimal(gathered.text(_CONNTRACK + name).strip()) for name in ("count", "max"))
    return None if count is None or most is None else (count, most)


def _versions(gathered: Gathered) -> Iterator[str]:
    for path in ("/etc/os-release", "/usr/lib/os-release"):
        system = re.search(r'^PRETTY_NAME="?([^"\n]*)', gathered.text(path), re.MULTILINE)
        if system:
            yield system[1]
            break
    for command in ("kernel", "iptables-version", "nft-version"):
        text = gathered.printed(command).strip()
        if text:
            yield text.splitlines()[0]
