"""What is known of a host beside the rules in one file: what runs, what is loaded at boot, facts.

Plain data. Collecting and understanding it is the room ``host``.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from ipaddress import IPv4Interface, IPv4Network, IPv6Interface, IPv6Network, ip_address
from typing import NamedTuple

from iptlint.model.addresses import is_public
from iptlint.model.ruleset import Family, Ruleset
from iptlint.source import SourceFile, Span


@dataclass(frozen=True, slots=True)
class Listener:
    """A socket that waits for strangers. ``address``: as ss prints it, ``*`` for all."""

    protocol: str
    address: str
    port: int

    @property
    def families(self) -> tuple[str, ...]:
        """The families of the packets that reach it; ``*`` and ``::`` are mostly for both."""
        if self.address in ("*", "::"):
            return ("ip", "ip6")
        return ("ip6",) if ":" in self.address else ("ip",)

    @property
    def is_local(self) -> bool:
        """Whether only the host itself can reach it."""
        if self.address == "*":
            return False
        try:
            return ip_address(self.address).is_loopback
        except ValueError:
            return False


@dataclass(frozen=True, slots=True)
class InterfaceAddress:
    interface: str
    address: IPv4Interface | IPv6Interface


class HostRoute(NamedTuple):
    """``interface``: None where it leads to none, to several, or not always to the same."""

    destination: IPv4Network | IPv6Network
    interface: str | None


@dataclass(frozen=True, slots=True)
class Facts:
    """None, or empty for ``ssh_ports``: not known. ``conntrack``: connections now, and how many
    the table holds. ``ipv6`` is false where the kernel takes no IPv6 packets at all. ``routes``:
    those of the host; one for all destinations that leads to None where that depends on more than
    the destination."""

    ssh_ports: tuple[int, ...] = ()
    listeners: tuple[Listener, ...] | None = None
    addresses: tuple[InterfaceAddress, ...] | None = None
    routes: tuple[HostRoute, ...] | None = None
    forwarding: bool | None = None
    forwarding6: bool | None = None
    ipv6: bool | None = None
    conntrack: tuple[int, int] | None = None
    versions: tuple[str, ...] = ()

    def facing(self) -> dict[str, bool]:
        """Whether the world is behind an interface, by the addresses: where one has an address that
        the world can name, those that have none but private ones do not face it. Empty where
        none has: another machine may translate."""
        by_name: dict[str, bool] = {}
        for one in self.addresses or ():
            public = by_name.get(one.interface, False) or is_public(one.address.ip)
            by_name[one.interface] = public
        return by_name if any(by_name.values()) else {}

    def forwards(self, family: str) -> bool | None:
        return self.forwarding if family == "ip" else self.forwarding6


class Way(Enum):
    """How rules come into the kernel at boot."""

    LOADS = "loads files"
    MAKES = "makes its own rules"
    UNCLEAR = "may load rules"


class Load(NamedTuple):
    """A file that is loaded at boot, by its path on the host. ``family``: that of the command
    that loads it; None where the file says it."""

    path: str
    family: Family | None


@dataclass(frozen=True, slots=True)
class Loader:
    """What loads rules at boot: ``span`` says so. ``files``: those of LOADS."""

    name: str
    way: Way
    span: Span
    files: tuple[Load, ...] = ()

    @property
    def loads_files(self) -> bool:
        return self.way is Way.LOADS

    @property
    def makes_rules(self) -> bool:
        return self.way is Way.MAKES


class SshSession(NamedTuple):
    """A connection to this host's sshd."""

    client: str
    client_port: int
    server: str
    server_port: int

    @property
    def family(self) -> str:
        return "ip6" if ":" in self.client else "ip"

    def __str__(self) -> str:
        return f"{self.client} port {self.client_port} to {self.server} port {self.server_port}"


@dataclass(frozen=True, slots=True)
class Unread:
    what: str
    why: str


@dataclass(frozen=True, slots=True, eq=False)
class Host:
    """A live host, or what its root file system says (``live`` is false).

    ``running``: all rules of the kernel as one ruleset; None where some could not be read.
    ``backends``: the same apart, those of the legacy iptables and those of nf_tables.
    ``saved``: all that is loaded at boot, as one; None where that cannot be told, and
    ``untold`` says why. ``stored``: files of rules that are there, loaded or not.
    ``boot_known``: every service that is started at boot could be told. ``sources``: what is
    linted. ``system``: the distribution's id, as os-release has it. ``mixed``: legacy iptables
    and nf_tables both decide, so that neither is the whole.
    """

    name: str
    live: bool
    facts: Facts
    running: Ruleset | None
    backends: tuple[Ruleset, Ruleset] | None
    loaders: tuple[Loader, ...]
    saved: Ruleset | None
    untold: str
    boot_known: bool
    stored: tuple[Ruleset, ...]
    sources: tuple[SourceFile, ...]
    unread: tuple[Unread, ...]
    system: str = ""
    mixed: bool = False

    def is_running(self, source: SourceFile) -> bool:
        """Whether a command printed the source, so that it is no file that anyone keeps."""
        return self.live and any(source is one for one in self.sources)
