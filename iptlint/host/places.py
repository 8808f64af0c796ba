"""The files of a host that say something about its firewall, and how much of each is read.

Secrets live in some of them (keys of WireGuard, passwords in units), so that of most only the
lines that speak of a firewall are kept, here and in what is saved for elsewhere.
"""

from __future__ import annotations

import re
from enum import Enum
from fnmatch import fnmatchcase
from typing import NamedTuple


class Keep(Enum):
    WHOLE = "all of it"
    MENTIONS = "the lines that speak of a firewall"
    COMMANDS = "the lines that name what a unit runs"
    LINK = "where the link leads"


class Place(NamedTuple):
    """``pattern``: a path with ``*`` in its last two parts at most. ``runs``: a file that is run,
    and only where it is executable."""

    pattern: str
    keep: Keep
    runs: bool = False


RULE_FILES = (
    *("/etc/iptables/rules.v4", "/etc/iptables/rules.v6", "/etc/iptables/ipsets"),
    *("/etc/iptables/rules-save", "/etc/iptables/rules6-save"),
    *("/etc/iptables/iptables.rules", "/etc/iptables/ip6tables.rules"),
    *("/etc/sysconfig/iptables", "/etc/sysconfig/ip6tables", "/etc/sysconfig/ipset"),
    *("/etc/iptables.rules", "/etc/iptables.up.rules", "/etc/ip6tables.rules", "/etc/ipset.conf"),
    *("/var/lib/iptables/rules-save", "/var/lib/ip6tables/rules-save"),
    *("/etc/nftables.conf", "/etc/sysconfig/nftables.conf", "/etc/nftables.nft"),
    "/var/lib/nftables/rules-save",
)
"""Where rules are kept that a service loads."""

_WHOLE = (
    *RULE_FILES,
    *("/etc/nftables/*.nft", "/etc/nftables/*.conf", "/etc/nftables.d/*"),
    *("/etc/os-release", "/usr/lib/os-release", "/etc/hostname", "/etc/ufw/ufw.conf"),
)
SYSCTLS = (
    "/proc/sys/net/ipv4/ip_forward",
    "/proc/sys/net/ipv6/conf/all/forwarding",
    "/proc/sys/net/ipv6/conf/*/disable_ipv6",
    "/proc/sys/net/netfilter/nf_conntrack_max",
    "/proc/sys/net/netfilter/nf_conntrack_count",
)
UNIT_DIRECTORIES = (
    *("/etc/systemd/system", "/run/systemd/system", "/usr/local/lib/systemd/system"),
    *("/usr/lib/systemd/system", "/lib/systemd/system"),
)
_GENERATED = ("/run/systemd/generator", "/run/systemd/generator.late")

HOOKS = (
    *("/etc/network/interfaces", "/etc/network/interfaces.d/*"),
    *("/etc/network/if-pre-up.d/*", "/etc/network/if-up.d/*"),
    *("/etc/rc.local", "/etc/rc.d/rc.local", "/etc/rc.d/rc.firewall", "/etc/init.d/boot.local"),
    "/etc/local.d/*.start",
    *("/etc/crontab", "/etc/cron.d/*", "/etc/anacrontab"),
    *("/etc/cron.hourly/*", "/etc/cron.daily/*"),
    *("/var/spool/cron/*", "/var/spool/cron/crontabs/*", "/etc/crontabs/*"),
    *("/etc/NetworkManager/dispatcher.d/*", "/etc/NetworkManager/dispatcher.d/pre-up.d/*"),
    *("/etc/networkd-dispatcher/*.d/*", "/usr/lib/networkd-dispatcher/*.d/*"),
    *("/etc/wireguard/*.conf", "/etc/openvpn/*", "/etc/openvpn/server/*"),
    *("/etc/ppp/ip-up.d/*", "/etc/ppp/ip-up.local", "/etc/dhcp/dhclient-enter-hooks.d/*"),
    *("/etc/dhcp/dhclient-exit-hooks.d/*", "/etc/libvirt/hooks/*", "/etc/qemu/hooks/*"),
    *("/etc/cloud/cloud.cfg", "/etc/cloud/cloud.cfg.d/*"),
    *("/var/lib/cloud/instance/user-data.txt", "/var/lib/cloud/instance/scripts/*"),
    *("/var/lib/cloud/scripts/per-boot/*", "/etc/init.d/*"),
)
"""Where a line may load rules at boot, or soon after it."""

_RUN = (
    *("/etc/network/if-", "/etc/rc.", "/etc/local.d", "/etc/NetworkManager/dispatcher.d"),
    *("/etc/networkd-dispatcher", "/usr/lib/networkd-dispatcher", "/etc/ppp/ip-up"),
    *("/etc/cron.hourly", "/etc/cron.daily", "/etc/libvirt/hooks", "/var/lib/cloud/scripts"),
)

PLACES = (
    *(Place(path, Keep.WHOLE) for path in (*_WHOLE, *SYSCTLS)),
    *(
        Place(path, Keep.MENTIONS, path.startswith(_RUN))
        for path in ("/etc/ssh/sshd_config", "/etc/ssh/sshd_config.d/*.conf", *HOOKS)
    ),
    *(Place(f"{directory}/*.service", Keep.COMMANDS) for directory in UNIT_DIRECTORIES),
    *(Place(f"{directory}/*.service.d/*.conf", Keep.COMMANDS) for directory in UNIT_DIRECTORIES),
    *(
        Place(f"{directory}/*.{kind}/*", Keep.LINK)
        for directory in (*UNIT_DIRECTORIES, *_GENERATED)
        for kind in ("wants", "requires")
    ),
    *(Place(f"{directory}/*.service", Keep.LINK) for directory in UNIT_DIRECTORIES),
    Place("/etc/runlevels/*/*", Keep.LINK),
    *(
        Place(f"{directory}/S*", Keep.LINK)
        for directory in ("/etc/rc.d", "/etc/rcS.d", "/etc/rc2.d", "/etc/rc3.d", "/etc/rc5.d")
    ),
    *(Place(f"/etc/rc.d/{level}/S*", Keep.LINK) for level in ("rc2.d", "rc3.d", "rc4.d", "rc5.d")),
)

WORDS = (
    r"ip6?tables|[Ff]irewall|(^|[^A-Za-z0-9_.])(xtables|arptables|ebtables|nft|ufw|ferm|firehol)"
    r"([^A-Za-z0-9_.]|$)|(^|[^a-z])fw([^a-z]|$)"
    r"|^[ \t]*[Pp]ort[ \t=]"
)
"""An extended regular expression, the same to Python and grep: a line that speaks of a firewall,
or of a port of sshd."""

RUNS = r"^[ \t]*Exec(Start|StartPre|StartPost|Reload|Condition)[ \t]*="
"""Likewise: a line of a unit that says what it runs."""

LIMIT = 4 * 2**20
"""Bytes of a file that is no list of rules; what a directory holds at most is ``CROWD``."""

CROWD = 2000

_WORDS, _RUNS = re.compile(WORDS.encode()), re.compile(RUNS.encode())
_NAMED = re.compile(rb"(?<![A-Za-z0-9_.$}])/[A-Za-z0-9_./@:+-]*[A-Za-z0-9_@+-]")
_SYSTEM = re.compile(r"/(dev|proc|sys|run)/|/(usr/)?(s?bin|lib|lib64|libexec)/|/nix/")
_RULES = re.compile(
    rb"^(\*[a-z]+[ \t\r]*$|-A |[ \t]*(add )?table |[ \t]*flush ruleset|create )", re.MULTILINE
)


def kept(keep: Keep, data: bytes) -> bytes:
    """The part of a file that is worth keeping."""
    match keep:
        case Keep.MENTIONS:
            return _lines(_WORDS, data)
        case Keep.COMMANDS:
            return _lines(_RUNS, data)
        case _:
            return data


def _lines(pattern: re.Pattern[bytes], data: bytes) -> bytes:
    return b"".join(line + b"\n" for line in data.split(b"\n") if pattern.search(line))


_FOLLOWED = tuple(hook for hook in HOOKS if hook != "/etc/init.d/*")


def is_followed(place: Place) -> bool:
    """Whether every script that such a file names is run at boot, or may be."""
    return place.pattern in _FOLLOWED


def is_listed(path: str) -> bool:
    """Whether the file is in the table, and not one that others name."""
    return any(fnmatchcase(path, place.pattern) for place in PLACES)


def is_kept_whole(path: str) -> bool:
    """Whether all of the file is read, and not only some of its lines."""
    return any(p.keep is Keep.WHOLE and fnmatchcase(path, p.pattern) for p in PLACES)


def named_in(text: bytes) -> set[str]:
    """The files that lines of hooks and units name, unless they are the system's own."""
    paths = {path.decode("ascii") for path in _NAMED.findall(text)}
    return {p for p in paths if not _SYSTEM.match(p) and "/../" not in p and "//" not in p}


def referred(data: bytes) -> bytes | None:
    """What to keep of a file that a hook or a unit names: rules as they are, of a script the
    lines that speak of a firewall; None for what is no text."""
    if b"\0" in data:
        return None
    return data if are_rules(data) else _lines(_WORDS, data)


def are_rules(data: bytes) -> bool:
    """Whether it is a list of rules, and no script."""
    return _RULES.search(data) is not None
