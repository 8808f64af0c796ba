"""Whether a connection that runs goes on under other rules: packets of it come in, and the answers
go out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from iptlint.analysis.exchange import connection
from iptlint.analysis.trace import trace
from iptlint.analysis.trace_outcome import TraceOutcome
from iptlint.model import Ruleset
from iptlint.model.host_addresses import HostAddresses
from iptlint.model.kinds import examples_testing
from iptlint.model.writes import reads_conntrack
from iptlint.packets.packet import Packet

_STATES = ("established",)
_NOT_TRACKED_YET = ("new", "established")
"""Where no rule has asked for connections, the first packet that is tracked opens one, whatever it
is (nf_conntrack_tcp_loose)."""


@dataclass(frozen=True, slots=True)
class SessionFate:
    """``works``: None where something that no rule shows decides. ``lost``: where its packets, or
    the answers, are stopped; ``why`` where they are lost otherwise."""

    works: bool | None
    lost: tuple[TraceOutcome, ...] = ()
    why: str = ""


def session_fate(
    new: Ruleset, session: Packet, addresses: HostAddresses | None, *, tracked: bool
) -> SessionFate:
    """``session``: a packet of it as it comes to this host, without state and flags. ``tracked``:
    the rules before had the connection tracked."""
    fates = [*_fates(new, session, addresses, _STATES if tracked else _NOT_TRACKED_YET)]
    return min(fates, key=lambda fate: (False, None, True).index(fate.works))


def _fates(
    new: Ruleset, session: Packet, addresses: HostAddresses | None, states: tuple[str, ...]
) -> Iterator[SessionFate]:
    for state in states:
        asked = replace(session, hook="input", tcp_flags=("ack",), ct_state=state)
        traced = trace(new, asked, addresses)
        if not traced.outcomes:
            yield SessionFate(True)  # no rule is about such packets
            continue
        answered = connection(traced)
        outcomes = [*traced.outcomes, *(o for reply in answered.replies for o in reply.outcomes)]
        lost = tuple(outcome for outcome in outcomes if not outcome.kind.passes)
        why = next((reply.lost for reply in answered.replies if reply.lost), "")
        yield SessionFate(answered.works, lost, why or "")


def tracks(ruleset: Ruleset) -> bool:
    """Whether the rules have connections tracked: one asks for them, or a chain translates."""
    rules = any(
        reads_conntrack(rule.matches)
        for table in ruleset.tables
        for rule in examples_testing(table)
    )
    chains = (chain for table in ruleset.tables for chain in table.base_chains())
    return rules or any(chain.type == "nat" and chain.rules for chain in chains)
