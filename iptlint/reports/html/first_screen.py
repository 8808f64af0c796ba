"""What matters first, in plain words: what the internet gets to, and whether one gets in to mend
it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from iptlint.analysis.answers import PING, Answer
from iptlint.analysis.openings import ANY, Opening, openings
from iptlint.analysis.overview import Overview, SshAccess
from iptlint.findings import Finding
from iptlint.model import IP_VERSIONS, Family, Hook
from iptlint.model.matches import Ranges
from iptlint.model.owners import owner_of_interface
from iptlint.model.protocols import TCP, UDP
from iptlint.packets.describe.lists import few, listed
from iptlint.policy.access import Access
from iptlint.policy.matrix import Matrix
from iptlint.policy.zones import ZoneKind
from iptlint.reports.html.services import in_words, names_at, numbers, seldom_public
from iptlint.reports.html.sources import Place, Sources
from iptlint.rules.meta import Group
from iptlint.rules.registry import rule_of

_WITH_PORTS = {TCP: "tcp", UDP: "udp"}
_NAMED = 8
_MANY, _WIDE = 50_000, 1000
"""Ports: nearly all, and more than anyone means."""
_UNUSUAL = "no usual service"
_WIDEST = 200


@dataclass(frozen=True, slots=True)
class OpenRow:
    """One line of what is open. ``danger``: why it is seldom public. ``note``: where it is sent on
    to, whether anybody listens; ``only``: for which packets alone."""

    name: str
    protocol: str
    ports: str
    versions: str
    danger: str
    notes: tuple[str, ...]
    only: tuple[str, ...]
    by: str
    place: Place | None


@dataclass(frozen=True, slots=True)
class Said:
    """A sentence and how grave it is: good, bad, or unknown."""

    tone: str
    sentence: str
    details: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class HostView:
    """``open``: what is open to everyone; ``allowed``: as long as a count, or a list, does not
    take somebody out; ``conditional``: to some packets; ``behind``: on hosts behind this one.
    ``remarks``: what these answers rest on, and what is not known."""

    name: str
    headline: Said
    open: tuple[OpenRow, ...]
    allowed: tuple[OpenRow, ...]
    conditional: tuple[OpenRow, ...]
    behind: tuple[OpenRow, ...]
    ping: str
    remarks: tuple[str, ...]
    access: Said


def host_name(host: Sequence[Overview]) -> str:
    return listed(dict.fromkeys(o.ruleset.source.path for o in host))


def host_view(
    host: Sequence[Overview],
    findings: Sequence[Finding],
    sources: Sources,
    matrix: Matrix | str | None = None,
) -> HostView:
    """``findings``: those of this host; ``matrix``: who reaches what, or why nobody knows."""
    opened = openings(answer for overview in host for answer in overview.answers)
    listening = next((o.listening for o in host if o.listening is not None), None)

    def rows(way: Hook, *, sure: bool, everyone: bool = True) -> tuple[OpenRow, ...]:
        chosen = (o for o in opened if (o.way, o.sure, o.everyone) == (way, sure, everyone))
        return tuple(_row(opening, sources, listening) for opening in chosen)

    incoming = [opening for opening in opened if opening.way is Hook.INPUT]
    some = [*_to_some(matrix, incoming)] if isinstance(matrix, Matrix) else None
    return HostView(
        host_name(host),
        _headline(host, incoming, some),
        rows(Hook.INPUT, sure=True),
        rows(Hook.INPUT, sure=False),
        (*rows(Hook.INPUT, sure=False, everyone=False), *(some or ())),
        rows(Hook.FORWARD, sure=True),
        _ping(host),
        tuple(_remarks(host, listening)),
        _access(host, findings),
    )


def unprotected(name: str) -> HostView:
    """Of a host on which no rule runs."""
    headline = Said("bad", "Every port of this host is open to the internet: no firewall rule runs")
    access = Said("good", "No: nothing stops an SSH connection")
    remark = (
        "Everything that listens at an address of this host can be reached. A firewall before it, "
        "of a router or a cloud, is not seen."
    )
    return HostView(name, headline, (), (), (), (), "", (remark,), access)


def _to_some(matrix: Matrix, opened: Sequence[Opening]) -> Iterator[OpenRow]:
    """What some addresses of the internet get to, if it is not told of already."""
    cells = [row.cells for row in matrix.rows if row.zone.kind is ZoneKind.INTERNET]
    for service, cell in (each for row in cells for each in zip(matrix.services, row, strict=True)):
        for part in cell.parts if len(service.parts) == 1 else ():
            protocol = _WITH_PORTS.get(service.parts[0].protocol or 0, "")
            ports = service.parts[0].ports
            if part.access is not Access.SOME or not protocol or not ports:
                continue
            if not any(_is_about(opening, part.family, protocol, ports) for opening in opened):
                name = in_words(protocol, ports) or _UNUSUAL
                versions, only = IP_VERSIONS[part.family], (part.which,) if part.which else ()
                shown = protocol.upper(), numbers(ports), versions
                yield OpenRow(name, *shown, "", (), only, "rules", None)


def _is_about(opening: Opening, family: Family, protocol: str, ports: Ranges) -> bool:
    return (
        opening.protocol == protocol
        and family in opening.families
        and any(
            low <= last and first <= high for low, high in opening.ports for first, last in ports
        )
    )


def _headline(
    host: Sequence[Overview], found: Sequence[Opening], some: Sequence[OpenRow] | None
) -> Said:
    """``some``: what a part of the internet gets to; None where that was not worked out."""
    if not any(overview.answers for overview in host):
        return Said("unknown", "What is open to the internet could not be worked out")
    if not any(access.told for overview in host for access in overview.access):
        return Said(
            "unknown",
            "These files do not say what may come in from the internet",
            ("They hold no chain that looks at packets which come in to this host.",),
        )
    sure = [opening for opening in found if opening.sure]
    wide = [opening for opening in sure if _count(opening.ports) > _MANY]
    if wide:
        every = "Every port" if any(each.is_all for each in wide) else "Nearly every port"
        return Said("bad", f"{every} of this host is open to the internet{_over(wide, host)}")
    names = _all_names(sure)
    on_condition = [o for o in found if o.everyone and not o.sure]
    others = [name for name in _all_names(on_condition) if name not in names]
    allowed = f"on a condition: {few(others, _NAMED)}"
    if sure:
        more = f"; {allowed}" if others else ""
        return Said("open", f"Open to the internet: {few(names, _NAMED)}{more}")
    if others:
        return Said("open", f"Open to the internet {allowed}")
    everyone = "everyone on " if some is None else ""
    nothing = f"Nothing on this host is open to {everyone}the internet"
    if found or some:
        nothing = "Nothing is open to everyone on the internet, some things to a few"
    sentences = _told(host)
    if len(sentences) == 1:
        (family,) = sentences
        other = IP_VERSIONS[Family.IP6 if family is Family.IP else Family.IP]
        return Said(
            "open", f"{nothing} over {IP_VERSIONS[family]}; of {other} these files say nothing"
        )
    return Said("good", nothing)


def _told(host: Sequence[Overview]) -> set[Family]:
    """The families of which the rules say what may come in."""
    return {access.family for overview in host for access in overview.access if access.told}


def _over(found: Iterable[Opening], host: Sequence[Overview]) -> str:
    """The version of IP, where the rules are about both and only one is so."""
    families = {family for opening in found for family in opening.families}
    sentences = _told(host)
    return (
        f" over {IP_VERSIONS[families.pop()]}" if len(families) == 1 and len(sentences) > 1 else ""
    )


def _all_names(found: Iterable[Opening]) -> list[str]:
    return [*dict.fromkeys(name for opening in found for name in _names(opening))]


def _names(opening: Opening) -> list[str]:
    protocol = opening.protocol.upper()
    if opening.ports == ((0, 65535),):
        return [f"every {protocol} port"]
    several = opening.ports[0][0] != opening.ports[-1][1]
    unnamed = f"{protocol} port{'s' * several} {numbers(opening.ports, 3)}"
    return names_at(opening.protocol, opening.ports) or [unnamed]


def _count(ports: Ranges) -> int:
    return sum(high - low + 1 for low, high in ports)


def _row(
    opening: Opening, sources: Sources, listening: frozenset[tuple[str, int]] | None
) -> OpenRow:
    seldom = seldom_public(opening.protocol, opening.ports) if opening.sure else []
    dangers = dict.fromkeys(f"{service.name}: {service.why}" for _, service in seldom)
    wide = _count(opening.ports) > _WIDE
    by, place = "nothing stands in the way", None
    if opening.by is not None:
        place = sources.place(opening.by.span, "accept")
        by = f"the policy of {opening.by.chain.name}" if opening.by.rule is None else "rule"
    return OpenRow(
        "very many ports" if wide else in_words(opening.protocol, opening.ports) or _UNUSUAL,
        opening.protocol.upper(),
        "all" if opening.is_all else numbers(opening.ports),
        " and ".join(IP_VERSIONS[family] for family in opening.families),
        "" if wide else few([*dangers], 2),
        tuple(_notes(opening, listening)),
        tuple(text[:_WIDEST] + "…" * (len(text) > _WIDEST) for text in opening.only),
        by,
        place,
    )


def _notes(opening: Opening, listening: frozenset[tuple[str, int]] | None) -> Iterator[str]:
    if opening.at_a_rate:
        yield f"up to a rate: {few([*opening.only], 2)}"
    if opening.becomes:
        ends = [f"{address}{f' port {port}' if port else ''}" for address, port in opening.becomes]
        yield f"sent on to {few(ends, 3)}"
    elif listening is not None and opening.way is Hook.INPUT and not opening.is_all:
        open_ = [
            port
            for protocol, port in listening
            if protocol == opening.protocol
            if any(low <= port <= high for low, high in opening.ports)
        ]
        yield "a program listens there" if open_ else "nothing listens there now"


def _ping(host: Sequence[Overview]) -> str:
    """Whether the host answers to ping from the internet."""
    asked = [
        (answer.caller.family, any(ending.sure for ending in answer.endings))
        for overview in host
        for answer in overview.answers
        if answer.caller.world and answer.protocol in PING.values()
    ]
    answering = {family for family, sure in asked if sure}
    if not asked or not answering:
        return "ping from the internet is not answered, or not always" if asked else ""
    versions = listed(IP_VERSIONS[family] for family in sorted(answering, key=lambda f: f.value))
    return f"ping from the internet is let in ({versions})"


def _remarks(
    host: Sequence[Overview], listening: frozenset[tuple[str, int]] | None
) -> Iterator[str]:
    known = any(access.told for overview in host for access in overview.access)
    if known and (others := _other_interfaces(host)):
        yield (
            "The internet is taken to come in by an interface that no rule names: not by "
            f"{few(others, _NAMED)}, of which “Ask about a packet” tells."
        )
    if listening is None and known:
        yield (
            "Open means that the firewall lets anyone's first packet in. Whether a program listens "
            "there, and what stands before this host, these files do not say."
        )
    sentences = _told(host)
    for family in (Family.IP, Family.IP6):
        if sentences and family not in sentences:
            version = IP_VERSIONS[family]
            yield (
                f"Nothing here says what may come in over {version}: if this host speaks "
                f"{version}, all of it may be open."
            )
    if any(not overview.complete for overview in host):
        yield "The time or the memory was not enough to work out all of it: more may be open."
    unread = sum(not rule.read for overview in host for _, _, rule in overview.ruleset.rules())
    if unread:
        yield (
            f"{unread} rule{'s' * (unread > 1)} could not be read; what they do is taken for "
            "unknown."
        )


def _other_interfaces(host: Sequence[Overview]) -> list[str]:
    """Those that people named, where the internet is asked about by none of them, and by which
    other ports are open."""
    answers = [a for overview in host for a in overview.answers if a.caller.way is Hook.INPUT]
    if any(answer.caller.world and answer.caller.interface for answer in answers):
        return []
    open_to_world = [_open_to(answer) for answer in answers if answer.caller.world]
    names = dict.fromkeys(
        answer.caller.interface
        for answer in answers
        if answer.caller.interface and _open_to(answer) not in open_to_world
    )
    return [name for name in names if owner_of_interface(name.rstrip("*")) is None]


def _open_to(answer: Answer) -> object:
    passing = [ending.sure for ending in answer.endings if ending.kind.passes and ending.sure]
    return answer.caller.family, answer.protocol, sorted(passing)


def _access(host: Sequence[Overview], findings: Sequence[Finding]) -> Said:
    locking = [f for f in findings if rule_of(f.code).meta.group is Group.LOCKOUT]
    grave = [f for f in locking if f.code in _LOCKOUTS]
    if grave:
        return Said("bad", "Yes, as these rules are", tuple(f.message for f in grave[:3]))
    known = [access for overview in host for access in overview.access if access.told]
    if not known:
        return Said("unknown", "These files do not say: no chain looks at what comes in")
    failing = [access for access in known if access.fails]
    if len(failing) == len(known):
        return Said("bad", "Yes: nobody can open an SSH connection to this host")
    details = tuple(_who(access) for access in known)
    return Said("good", "No, as far as these rules decide: SSH can be opened", details)


_LOCKOUTS = ("IPT301", "IPT302", "IPT303", "IPT304")


def _who(access: SshAccess) -> str:
    ports = listed(str(port) for port in access.ports)
    over = f"over {IP_VERSIONS[access.family]}, port {ports}"
    if access.fails:
        return f"{over}: by nobody"
    packets = "; or ".join(access.packets)
    who = "by anyone" if access.packets == ANY else f"only packets {packets}"
    return f"{over}: {who}"
