"""What names tell by custom: of interfaces, chains, sets, hosts and files.

Nothing in the kernel says so; so no claim is certain for a name alone.
"""

from __future__ import annotations

import re
from enum import Enum

# -- interfaces ---------------------------------------------------------------------------------

LONGEST_INTERFACE = 15
"""Octets (IFNAMSIZ less its zero byte, linux/if.h): this is no custom."""

_INSIDE = re.compile(
    r"lo|dummy.*|dum\d+|docker.*|br-(?!wan|ex|pub).*|br\d.*|bridge.*|virbr.*|vnet.*|veth.*|lxc.*|lxd.*"
    r"|incus.*|podman.*|cni.*|cbr\d*|cali.*|cilium.*|flannel.*|kube.*|nodelocaldns|weave.*|antrea.*"
    r"|ovn.*|(?:.*[-_.])?wg.*|tun.*|tap.*|tailscale.*|tinc.*|ham\d*|zt.*|utun.*|ipsec.*|vti.*|gre.*|l2tp.*"
    r"|vmnet.*|vboxnet.*|(?:br)?lan.*|intern.*|inside.*|trust.*|priv.*|mgmt.*|admin.*|dmz.*|guest.*"
    r"|vmbr.*|ve-.*|vb-.*|vif.*|vpn.*|.*vpn|nebula.*|vxlan.*|as0t.*|home.*|office.*|local.*|loc"
    r"|int\d*|green\d*|blue\d*|orange\d*|bat\d*|mesh.*|san.*|storage.*|backup.*|mgm.*|ipmi.*"
    r"|iot.*|waydroid.*|anbox.*|wlan.*|wlp.*|ap\d*|usb\d*|ib\d*"
)

_CARD = re.compile(r"wlan.*|wlp.*|usb\d*")
"""Among those: what else leads to the world leaves these to the networks of the host."""

_OUTWARD = re.compile(
    r"wan.*|wwan.*|br-wan.*|ppp.*|pppoe.*|inet.*|internet.*|ext.*|outside.*|pub.*|uplink.*|isp.*"
    r"|dsl.*|world|red\d*"
)

_TUNNEL = re.compile(r"(?:u?tun|a?wg|vpn|nordlynx|proton|ipsec|vti|l2tp).*")

_SECOND = re.compile(r"eth[1-9]\d*")
_PASSING = re.compile(
    r"(?:ppp|pppoe|tun|tap|utun|wg|awg|nordlynx|docker|veth|vb|br|virbr|vmbr|lxcbr|lxdbr|incusbr"
    r"|vnet|waydroid|anbox|podman|cni|flannel|cali|cilium|kube|weave|tailscale|zt|ovpn|vpn|ipsec|xfrm|vti|gre"
    r"|sit|he|ip6tnl|6in4|l2tp|vxlan|geneve|bond|team|dummy|macvlan|ipvlan|ifb|vlan|wwan|rmnet)"
    r"[\d_-].*|(?:tun|tap|wg|br|ppp|docker|tailscale|bond|vpn|wan6)|docker_gwbridge|.*[.@]\d+|.*-.*"
)


def is_inside(interface: str) -> bool:
    """Whether people and programs call an interface so behind which the world is not."""
    return _says(_INSIDE, interface)


def is_card(interface: str) -> bool:
    """Whether it is one of those that lead to a network of the host's by custom alone: a modem and
    a phone are called so as well."""
    return _CARD.fullmatch(interface) is not None


def is_outward(interface: str) -> bool:
    """Whether the name says that it leads to the world."""
    return _says(_OUTWARD, interface)


def _says(names: re.Pattern[str], interface: str) -> bool:
    """Of what a template has there, the first word or the last (`wan.device`, `host.wan`)."""
    last = _LAST_WORD.fullmatch(interface)
    return names.fullmatch(interface) is not None or (
        last is not None and names.fullmatch(last[1]) is not None
    )


def is_tunnel(interface: str) -> bool:
    """Whether the name is one of a VPN, by which the world may be reached."""
    return _TUNNEL.fullmatch(interface) is not None


def is_second(interface: str) -> bool:
    """Where it is the only one with a name, the first is the world's, which nobody gets in by."""
    return _SECOND.fullmatch(interface) is not None


def comes_and_goes(interface: str) -> bool:
    """Whether something makes it after boot: a link of ppp, a tunnel, a bridge, a VLAN."""
    return _PASSING.fullmatch(interface) is not None


class NoInterface(Enum):
    """What a word is that stands where the name of an interface belongs."""

    ADDRESS = "address"
    ALIAS = "alias"
    PLACEHOLDER = "placeholder"
    NEGATED = "negated"
    PROTOCOL = "protocol"
    VARIABLE = "variable"
    UNNUMBERED = "unnumbered"


_PROTOCOL = re.compile(r"tcp|udp|icmp|icmpv?6|ipv6-icmp|all|any")
_ADDRESS = re.compile(r"(?:\d{1,3}\.){3}\d{1,3}(?:[:/].*)?|[\da-f]*:[\da-f]*:[\da-f:./]*|.*/\d+")
_ALIAS = re.compile(r"[^:]+:\w*")
_NEGATED = re.compile(r"!.+")
_VARIABLE = re.compile(r"\$[A-Za-z_]\w*")
_UNNUMBERED = re.compile(r"ppp|eth")
"""Of these the kernel numbers each (`ppp%d` in drivers/net/ppp/ppp_generic.c, `eth%d` in
net/ethernet/eth.c), and nobody makes one by hand, as one does a tunnel."""
_TO_FILL_IN = re.compile(
    r"<.*>|\[.*\]|(?:[A-Z\d_]*_)?(?:[A-Z]*IFACE|[A-Z]*INTERFACE|(?:WAN|LAN|EXT|INT|INET|PUB)?_?IF)\d?_*"
    r"|(?:YOUR|MY)_[A-Z_]+|(?:eth|wlan|ens|enp|ppp|tun|tap|wg)[XYN](?:s[XY\d])?"
)
_IN_TEMPLATE = re.compile(r"\{\{-?\s*((?:\w+\.)*+\w++)[^{}]*+\}\}")
_LAST_WORD = re.compile(r"(?:\w+\.)+([A-Za-z]\w*)")


def name_in_template(text: str) -> str | None:
    """How a template calls what it has in the place of a name (`{{ host.wan }}`: host.wan)."""
    match = _IN_TEMPLATE.fullmatch(text)
    return match[1] if match else None


def no_interface(name: str) -> NoInterface | None:
    """What the name is of, where people call no interface so."""
    kinds = (
        (_PROTOCOL, NoInterface.PROTOCOL),
        (_ADDRESS, NoInterface.ADDRESS),
        (_ALIAS, NoInterface.ALIAS),
        (_TO_FILL_IN, NoInterface.PLACEHOLDER),
        (_VARIABLE, NoInterface.VARIABLE),
        (_NEGATED, NoInterface.NEGATED),
        (_UNNUMBERED, NoInterface.UNNUMBERED),
    )
    return next((kind for pattern, kind in kinds if pattern.fullmatch(name)), None)


# -- chains, sets, hosts --------------------------------------------------------------------------

_FOR_USERS = re.compile(
    r"custom|local|user|(white|black|block|allow|deny|grey|ban)-?_?list|\bban|hook|extra|dynamic|"
    r"overrid|^(?:input|output|forwarding|prerouting|postrouting)_\w+$"  # OpenWrt
    r"|^(?:tcp|udp)(?:_chain)?$",  # of the firewall that many copy: open ports
    re.I,
)
_OF_SOFTWARE = {
    "calico": re.compile(r"cali[46]0.*"),
    "cilium": re.compile(r"cilium_.*"),
    "weave": re.compile(r"weave[-_].*"),
    "fail2ban": re.compile(r"fail2ban\d?[-_].*"),
    "crowdsec": re.compile(r"crowdsec\d?[-_].*"),
}
_IN_HOSTS = re.compile(r"localhost\d?|localhost[\d.]*\.localdomain\d?|(?:ip6|ipv6)-[a-z0-9]+")


def is_for_users(chain: str) -> bool:
    """Whether a chain that is empty is so for people to fill it."""
    return _FOR_USERS.search(chain) is not None


def is_for_knocking(chain: str) -> bool:
    """Whether a chain is called so into which programs put rules for who has knocked."""
    return "knock" in chain.lower()


def maker_of_set(name: str) -> str | None:
    """The software that makes a set of the name, of which it has no chains by that name."""
    makers = (maker for maker, names in _OF_SOFTWARE.items() if names.fullmatch(name))
    return next(makers, None)


def is_in_hosts(host: str) -> bool:
    """Whether /etc/hosts of nearly every host names it."""
    return _IN_HOSTS.fullmatch(host.lower()) is not None


# -- files --------------------------------------------------------------------------------------

_SIX = re.compile(r"ip6|ipv6|v6|(?<=[a-z])6(?=[-_.]|$)")
_FOUR = re.compile(r"ipv4|v4|(?<=[a-z])4(?=[-_.]|$)")


def is_of_ipv6(file: str) -> bool:
    return _SIX.search(file) is not None


def without_family(file: str) -> str:
    """The name that the files of both families have in common."""
    return _FOUR.sub("", _SIX.sub(lambda six: "ip" if six[0] == "ip6" else "", file))
