"""Matches from outside the kernel tree: xtables-addons, old patch-o-matic, vendors.

Their options are read without judging the arguments: only the shape of the
command line is known for certain.
"""

from __future__ import annotations

from iptlint.dialects.iptables.extensions.builders import joint, opt, pure, row, uncertain
from iptlint.dialects.iptables.extensions.row import Extension, Lower, Option
from iptlint.dialects.iptables.extensions.values import anything


def _options(text: str, arity: int) -> tuple[tuple[Option, ...], ...]:
    return tuple(opt(name, *(anything,) * arity, inv=True) for name in text.split())


def _addon(name: str, lower: Lower, valued: str = "", flags: str = "") -> Extension:
    return row(name, *_options(valued, 1), *_options(flags, 0), lower=lower)


_INTERFACE_FLAGS = (
    "up broadcast loopback pointopoint running noarp promisc multicast dynamic lower-up dormant"
)
_P2P = "edk kazaa gnu dc bit apple soul winmx ares mute waste xdcc ipp2p ipp2p-data debug"
_DSTLIMIT = "dstlimit " + " ".join(
    f"dstlimit-{name}"
    for name in (
        *("mode", "name", "burst", "htable-size"),
        *("htable-max", "htable-gcinterval", "htable-expire"),
    )
)
_SCANS = "stealth synscan cnscan mirai grscan"

ROWS = (
    _addon("geoip", pure("geoip"), "src-cc source-country dst-cc destination-country"),
    _addon("asn", pure("asn"), "src-asn source-number dst-asn destination-number"),
    _addon(
        "ndpi", joint("ndpi"), "proto host cat risk ja3s ja4c untracked", "all error inprogress"
    ),
    _addon("layer7", pure("layer7"), "l7proto l7dir"),
    _addon("webstr", pure("webstr"), "url host content"),
    _addon("ipp2p", joint("ipp2p"), flags=_P2P),
    _addon("iface", joint("iface"), "iface dev-in dev-out", _INTERFACE_FLAGS),
    _addon("interval", uncertain("interval"), "start stop"),
    _addon("length2", joint("length2"), "length", "layer3 layer4 layer5 layer7"),
    _addon("gradm", pure("gradm"), flags="enabled disabled"),
    _addon("childlevel", pure("childlevel"), "childlevel"),
    _addon("ipv4options", joint("ipv4options"), "flags", "any"),
    _addon("dhcpmac", pure("dhcpmac"), "mac"),
    _addon("condition", uncertain("condition"), "condition"),
    _addon(
        "psd",
        uncertain("psd"),
        "psd-weight-threshold psd-delay-threshold psd-lo-ports-weight psd-hi-ports-weight",
    ),
    _addon("fuzzy", uncertain("fuzzy"), "lower-limit upper-limit"),
    _addon("lscan", uncertain("lscan"), flags=_SCANS),
    _addon("portscan", uncertain("portscan"), flags=_SCANS),
    _addon(
        "pknock",
        uncertain("pknock"),
        "knockports time autoclose name opensecret closesecret",
        "strict checkip",
    ),
    _addon("random", uncertain("random"), "average"),
    _addon("nth", uncertain("nth"), "every counter start packet"),
    _addon(
        "dstlimit",
        uncertain("dstlimit"),
        _DSTLIMIT,
    ),
    _addon("account", uncertain("account"), "aaddr aname", "ashort"),
    _addon("iplimit", uncertain("iplimit"), "iplimit-above iplimit-mask"),
)
