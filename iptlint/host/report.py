"""What a report says of a host beside its findings: what was read, what loads rules, which ports
are open, for people and as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tabulate import tabulate

from iptlint.host.ports import Port, ports, unused_openings
from iptlint.model.host import Facts, Host, Loader
from iptlint.model.software import software_in
from iptlint.reports.html.about_host import AboutHost
from iptlint.reports.safe import visible

_NEARLY_FULL = 80


def host_text(host: Host) -> str:
    """The lines above the findings."""
    lines = [*_facts(host), *_reading(host), *_boot(host), *_notes(host), *_ports(host)]
    return "".join(f"{visible(line)}\n" for line in lines) + "\n"


def _facts(host: Host) -> Iterator[str]:
    what = "host" if host.live else "root file system"
    versions = f" ({', '.join(host.facts.versions)})" if host.facts.versions else ""
    yield f"{what}: {host.name}{versions}"


def _reading(host: Host) -> Iterator[str]:
    sources = [s.path for s in host.sources if s.text.strip()]
    if sources:
        yield f"{'running' if host.live else 'loaded'} rules: {', '.join(sources)}"
    elif _is_unprotected(host):
        yield "running rules: none, every packet is accepted"
    else:
        yield f"{'running' if host.live else 'saved'} rules: none could be read"
    yield from _not_read(host)


def _is_unprotected(host: Host) -> bool:
    return host.running is not None and not host.running.tables


_DENIED = ("Permission denied", "Operation not permitted", "must be root")


def _not_read(host: Host) -> Iterator[str]:
    """One line for all that only root can read."""
    denied = [one.what for one in host.unread if any(words in one.why for words in _DENIED)]
    for unread in host.unread:
        if unread.what not in denied:
            yield f"not read: {unread.what}: {unread.why}"
    if denied:
        files = [what for what in denied if what.startswith("/")]
        what = "the running rules" if len(files) < len(denied) else ""
        yield f"not read, as only root can: {', '.join(filter(None, (what, *files)))}: use sudo"


def _boot(host: Host) -> Iterator[str]:
    for loader in host.loaders:
        yield f"at boot: {_loader(loader)}"
    if host.boot_known and not host.loaders:
        yield "at boot: nothing loads rules"
    if host.live and host.untold:
        yield f"running and saved rules were not compared: {host.untold}"


def _loader(loader: Loader) -> str:
    files = ", ".join(load.path for load in loader.files)
    does = f"loads {files}" if files else loader.way.value
    return f"{loader.name} {does} ({loader.span.source.path})"


def _notes(host: Host) -> Iterator[str]:
    facts = host.facts
    if host.running is not None and (owners := software_in(host.running)):
        yield f"rules of software: {', '.join(owners)}; they are made anew at start"
    if facts.addresses:
        shown = [f"{a.interface} {a.address}" for a in facts.addresses if a.interface != "lo"]
        yield f"addresses: {', '.join(shown) or 'none'}"
    if facts.ipv6 is False:
        yield "IPv6 is switched off in the kernel"
    forwarding = [v for v, on in _forwarding(facts) if on]
    if forwarding:
        yield f"forwarding is on for {' and '.join(forwarding)}"
    if facts.conntrack is not None:
        yield from _conntrack(*facts.conntrack)


def _forwarding(facts: Facts) -> tuple[tuple[str, bool | None], ...]:
    return ("IPv4", facts.forwarding), ("IPv6", facts.forwarding6)


def _conntrack(count: int, most: int) -> Iterator[str]:
    share = 100 * count // most if most else 0
    full = ": when it is full, new connections are dropped" if share >= _NEARLY_FULL else ""
    yield f"connections tracked: {count} of {most} ({share} %){full}"


def _ports(host: Host) -> Iterator[str]:
    sockets = ports(host)
    if sockets:
        rows = [_row(port) for port in sockets]
        yield "listening sockets:"
        table = tabulate(rows, tablefmt="plain", disable_numparse=True)
        yield from (f"  {line}" for line in table.splitlines())
    for protocol, number, place in unused_openings(host):
        yield f"{protocol} {number} is open to the world, and nothing listens there ({place})"


def about_host(host: Host) -> AboutHost:
    """The same for a page: lines, and the listening sockets as a table."""
    unused = (
        f"{protocol} {number} is open to the world, and nothing listens there ({place})"
        for protocol, number, place in unused_openings(host)
    )
    lines = (*_facts(host), *_reading(host), *_boot(host), *_notes(host), *unused)
    heads = ("protocol", "address and port", "who gets there")
    rows = tuple(map(_row, ports(host)))
    return AboutHost(lines, heads, rows, host.name, _is_unprotected(host))


def _row(port: Port) -> tuple[str, ...]:
    listener = port.listener
    address = f"[{listener.address}]" if ":" in listener.address else listener.address
    return listener.protocol, f"{address}:{listener.port}", port.said


def host_json(host: Host) -> dict[str, Any]:
    facts = host.facts
    return {
        "name": host.name,
        "live": host.live,
        "system": host.system or None,
        "versions": list(facts.versions),
        "unread": [{"what": one.what, "why": one.why} for one in host.unread],
        "boot": [
            {
                "name": loader.name,
                "way": loader.way.value,
                "path": loader.span.source.path,
                "line": loader.span.line,
                "files": [load.path for load in loader.files],
            }
            for loader in host.loaders
        ],
        "boot_known": host.boot_known,
        "compared": host.live and host.saved is not None and bool(host.loaders),
        "not_compared": host.untold or None,
        "ssh_ports": list(facts.ssh_ports),
        "addresses": [
            {"interface": one.interface, "address": str(one.address)}
            for one in facts.addresses or ()
        ],
        "forwarding": {"ip": facts.forwarding, "ip6": facts.forwarding6},
        "ipv6": facts.ipv6,
        "conntrack": dict(zip(("count", "max"), facts.conntrack, strict=True))
        if facts.conntrack
        else None,
        "listeners": [_port_json(port) for port in ports(host)],
        "unused_openings": [
            {"protocol": protocol, "port": number, "by": place}
            for protocol, number, place in unused_openings(host)
        ],
    }


def _port_json(port: Port) -> dict[str, Any]:
    return {
        "protocol": port.listener.protocol,
        "address": port.listener.address,
        "port": port.listener.port,
        "reach": port.reach.value,
        "by": port.by,
    }
