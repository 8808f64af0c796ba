"""What the words of a script say besides its commands: whether somebody has thought of the next
boot, and whether it waits."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from iptlint.source import SourceFile, Span

_BOOT_PATHS = re.compile(
    r"/(?:if-(?:pre-)?up\.d|if-(?:post-)?down\.d|init\.d|rc\.d|rc\d?\.d|ip-(?:pre-)?up\.d"
    r"|dispatcher\.d|networkd-dispatcher|hooks|local\.d|network|openvpn|wireguard|fail2ban"
    r"|docker|containers?)/"
    r"|(?:^|[/_.-])(?:rc\.\w+|entrypoint|postup|preup|postdown|predown)(?:[_.-]|$)"
    r"|\.(?:init|service)$",
    re.IGNORECASE,
)
"""Where something runs what is there by itself: at boot, with an interface, in a container."""

_FIRMWARES = re.compile(
    r"(?:^|/)(?:(?:firewall|nat|wan|services|init|wgclient|wgserver)-start|firewall\.user)$"
    r"|/(?:netfilter\.d|hotplug\.d)/"
)
"""What the firmware of a router runs when it has made its own rules."""


def is_firmwares(path: str) -> bool:
    return _FIRMWARES.search(path) is not None


_BOOT_WORDS = re.compile(
    r"BEGIN INIT INFO|chkconfig|update-rc\.d|\brc-update\b|systemctl|\bsystemd\b|\[Unit\]|WantedBy"
    r"|@reboot|\bcrontab\b|/etc/init\.d|\brc\.local|if-(?:pre-)?up|runlevel|openrc|runscript"
    r"|with each firewall \(re-\)start"
    r"|(?:at|on|during) (?:every |each )?(?:boot|startup|start-up)\b|boot time"
    r"|\b(?:tun|link)_mtu\b|\bopenvpn[-_.](?:up|down)\b"
    r"|PostUp|PreUp|\$(?:\{)?(?:script_type|IFACE|PPP_|ifconfig_|trusted_ip|dev\b)",
    re.IGNORECASE,
)
_IN_CONTAINER = re.compile(
    r"\b127\.0\.0\.11\b"
    r"|^[ \t]*#[^\n]*\b(?:for an?|(?:in|inside|within) (?:an?|the|this|each|every))"
    r"(?: [\w-]+){0,4} (?:dev)?containers?\b"
    r"(?! (?:net|bridge|host|subnet|traffic|port|addr|engine))",
    re.MULTILINE | re.IGNORECASE,
)
"""Where docker answers for names, in containers and nowhere else; or a remark that says so."""

_SAVE_WORDS = re.compile(
    r"ip6?tables-save|\$\{?\w{0,60}(?:ipt|tables)\w{0,60}\}?[\"']?-save\b|netfilter-persistent"
    r"|iptables-persistent|(?:iptables|ip6tables)[\"']? save\b|nft (?:-\w+ ){0,9}list ruleset *>",
    re.IGNORECASE,
)
"""In the parts that are not carried out, or in a comment on what to do then."""

_KEPT = re.compile(
    r"^[^#\n]*/etc/(?:nftables\.conf|nftables(?:\.d)?/|iptables/\S{0,200}rules"
    r"|iptables\.(?:up\.)?rules|sysconfig/(?:ip6?tables|nftables\.conf))",
    re.MULTILINE,
)
"""A file that a service loads at boot: the script writes it, or loads what is there anyway."""

_CALLED_WITH = (
    r"^[^\S\n]*\(?[\"']?(?:[\w|]{{0,200}}\|)?{0}\b[\w|\"' ]{{0,200}}\)"
    r"|[ \t]==?[ \t]*[\"']?{0}[\"']?[ \t]*\]"
)
"""As a case, or as what a test compares an argument with."""
_START, _STOP = (re.compile(_CALLED_WITH.format(word), re.M) for word in ("start", "stop"))
_TEMPORARY = re.compile(
    r"\btrap\b|\b(?:sleep|docker run|ip netns)\b|^(?!.*\bwhile\b).*\bread\b", re.M
)
_MAIN_PROGRAM = re.compile(r"^[ \t]*(?:exec[ \t]+[\"']?\$@|tail[ \t]+-[fF])", re.MULTILINE)


_IPV6 = re.compile(r"ip(?:v|_)?6|inet6|icmp_?v?6|\bnft\b", re.IGNORECASE)

_SHOWN = r"net[./]bridge[./]bridge-nf-call-ip6?tables"
_SHOWS_BRIDGED = re.compile(
    rf"^[^#\n]*(?:{_SHOWN}[\"']?[ \t]*=[ \t]*[\"']?1\b"
    rf"|echo[ \t]+[\"']?1[\"']?[ \t]*>[ \t]*\S*{_SHOWN})",
    re.MULTILINE,
)
"""By ``sysctl``, or by what ``/proc/sys`` has of it."""

_SPEAKS = re.compile(r"[ \t]*(?:#|(?:echo|printf|log\w*)\b)")

_WAITS = re.compile(
    r"^(?!(?>[^#\n]*?\bwhile\b)[^#\n]*\bread\b)"  # lines of a file, which nobody types
    r"[^#\n]*\b(?:sleep|read|wget|curl|dig|nslookup|getent|host)\b",
    re.MULTILINE,
)


@dataclass(frozen=True, slots=True)
class Hints:
    """Those of one text. ``started``: a file beside it says that it is run with the host, and
    ``contained``, that it is put into a container."""

    source: SourceFile
    started: bool = False
    contained: bool = False

    @property
    def is_program(self) -> bool:
        """Whether it is run as one; else it may be lines that are put into another."""
        return self.source.text.startswith("#!")

    def is_provided_for(self, besides: Iterable[Span] = ()) -> bool:
        """Whether it says, by its place or in words, that it saves the rules, that it is run at
        boot, that it is a service, or that the rules are not meant to stay. ``besides``: commands
        that are not asked, with what follows on their line."""
        if self.started:
            return True
        text = self._without(span for span in besides if span.source is self.source)
        if any(words.search(text) for words in (_SAVE_WORDS, _KEPT)):
            return True
        if _BOOT_PATHS.search(self.source.path) or is_firmwares(self.source.path):
            return True
        is_service = _START.search(text) and _STOP.search(text)
        passes = _TEMPORARY.search(text) or _IN_CONTAINER.search(text) or self.is_main_program
        return bool(_BOOT_WORDS.search(text) or is_service or passes)

    @property
    def is_main_program(self) -> bool:
        """Whether it is that of a container, which ends in what the container is for, or sets up
        the firewall of one."""
        return self.contained or _MAIN_PROGRAM.search(self.source.text) is not None

    def _without(self, commands: Iterable[Span]) -> str:
        """The text, without the commands and what follows on their line."""
        text, kept, at = self.source.text, list[str](), 0
        for span in sorted(commands, key=lambda span: span.start):
            if span.start >= at:
                kept.append(text[at : span.start])
                end = text.find("\n", span.end)
                at = end if end >= 0 else len(text)
        return "".join((*kept, text[at:]))

    @property
    def speaks_of_ipv6(self) -> bool:
        """Whether IPv6 is named in it, if only to switch it off."""
        return _IPV6.search(self.source.text) is not None

    @property
    def shows_bridged(self) -> bool:
        """Whether it has what a bridge forwards shown to the chains of ip (br_netfilter)."""
        return _SHOWS_BRIDGED.search(self.source.text) is not None

    def beside(self, command: Span) -> str:
        """What is said of the command: its own lines, with a comment at their end, and a comment or
        what is printed on the line before."""
        text = command.source.text
        start = text.rfind("\n", 0, command.start) + 1
        end = text.find("\n", command.end)
        before = text[:start].rstrip().rpartition("\n")[2]
        spoken = before if _SPEAKS.match(before) else ""
        return f"{spoken}\n{text[start : end if end >= 0 else len(text)]}"

    def waits(self, start: Span, end: Span) -> bool:
        """Whether something takes its time between the two commands."""
        between = start.source.text[start.end : max(start.end, end.start)]
        return start.source is end.source and _WAITS.search(between) is not None
