"""A rule for the packets of a claim, as it would be written: what a change adds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from iptlint.model import Family, Hook
from iptlint.model.protocols import ICMP, PROTOCOL_NAMES
from iptlint.model.syntax import Suggestion
from iptlint.policy.claims import Claim
from iptlint.policy.services import Part
from iptlint.policy.zones import Network, Zone, ZoneKind, has_own_addresses

_MOST_NETWORKS = 4


def suggestions(claim: Claim, family: Family, way: Hook, verdict: str) -> list[Suggestion] | None:
    """A rule for each part of the service, ``verdict`` accept or drop; None where a line does not
    say who is meant."""
    ends = [_end(claim.source, family, "source", negated=claim.but)]
    if claim.is_elsewhere and claim.target is not None and way is not Hook.INPUT:
        ends.append(_end(claim.target, family, "destination", negated=False))
    known = [end for end in ends if end is not None]
    if len(known) < len(ends):
        return None
    start = (" ".join(filter(None, each)) for each in zip(*known, strict=True))
    iptables, nft = start
    return [
        Suggestion(
            " ".join(filter(None, (iptables, asked, f"-j {verdict.upper()}"))),
            " ".join(filter(None, (nft, asked_nft, verdict))),
        )
        for asked, asked_nft in (
            _asked(part, family) for part in claim.service.parts if part.is_of(family)
        )
    ]


_OPTIONS = {
    "source": ("-i", "-s", "iifname", "saddr"),
    "destination": ("-o", "-d", "oifname", "daddr"),
}


def _end(zone: Zone, family: Family, side: str, *, negated: bool) -> tuple[str, str] | None:
    """In iptables' words and in nft's; None where several rules or a list of exceptions would be
    needed."""
    if zone.members or zone.but or len(zone.interfaces) > 1 or zone.is_host:
        return None
    networks = [network for network in zone.networks if has_own_addresses(family, network)]
    if len(networks) > _MOST_NETWORKS or (negated and (len(networks) > 1 or zone.interfaces)):
        return None
    if negated and zone.kind is not ZoneKind.GIVEN:
        return None
    words = _OPTIONS[side]
    iptables = [*_interface(zone, words[0], "+", quoted=False)]
    nft = [*_interface(zone, words[2], "*", quoted=True)]
    if networks:
        listed = ",".join(map(_written, networks))
        iptables.append(f"{'! ' * negated}{words[1]} {listed}")
        nft.append(f"{family.value} {words[3]} {'!= ' * negated}{_set(networks)}")
    return " ".join(iptables), " ".join(nft)


def _interface(zone: Zone, option: str, any_end: str, *, quoted: bool) -> Iterator[str]:
    for name in zone.interfaces:
        plain = name.removesuffix("*").removesuffix("+")
        shown = plain + any_end if plain != name else name
        yield f'{option} "{shown}"' if quoted else f"{option} {shown}"


def _written(network: Network) -> str:
    single = network.num_addresses == 1
    return str(network.network_address if single else network)


def _set(networks: Sequence[Network]) -> str:
    texts = [*map(_written, networks)]
    return texts[0] if len(texts) == 1 else f"{{ {', '.join(texts)} }}"


def _asked(part: Part, family: Family) -> tuple[str, str]:
    if part.protocol is None:
        return "", ""
    name = PROTOCOL_NAMES.get(part.protocol, str(part.protocol))
    if part.protocol == ICMP:
        six = family is Family.IP6
        xt, option = ("icmpv6", "--icmpv6-type") if six else ("icmp", "--icmp-type")
        word = "icmpv6" if six else "icmp"
        if not part.icmp_type:
            return (
                f"-p {'ipv6-icmp' if six else 'icmp'}",
                f"meta l4proto {'ipv6-icmp' if six else 'icmp'}",
            )
        test = f"-p {'ipv6-icmp' if six else 'icmp'} -m {xt} {option} {part.icmp_type}"
        return test, f"{word} type {part.icmp_type}"
    if not part.ports:
        return f"-p {name}", f"meta l4proto {name}"
    ((low, high),) = part.ports
    both = (f"{low}:{high}", f"{low}-{high}") if low != high else (str(low), str(low))
    return f"-p {name} -m {name} --dport {both[0]}", f"{name} dport {both[1]}"
