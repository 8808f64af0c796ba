"""Where sshd listens, and whether anyone may open a connection to it."""

from __future__ import annotations

from collections.abc import Iterator

from iptlint.analysis.handshake import HandshakeStep, handshake, opening
from iptlint.analysis.session import Settings
from iptlint.model import Field, Hook, Rule, VerdictKind
from iptlint.netfilter.hooks import Hooks
from iptlint.netfilter.table_analysis import TableAnalysis

_USUAL_ELSEWHERE = (222, 2022, *range(2200, 2300), 8022, 10022, *range(22000, 23000), 60022)
FEW_PORTS = 16
"""A rule for more ports than this is not about one service."""


def locked_out(hooks: Hooks, settings: Settings) -> bool:
    """Whether the filter table lets nobody in."""
    return failing_step(hooks, ssh_ports(hooks, settings)) is not None


def failing_step(hooks: Hooks, ports: tuple[int, ...]) -> HandshakeStep | None:
    """The step of the handshake that fails for everyone; None where someone gets in, or where
    the source holds no INPUT chain."""
    if not has_input(hooks):
        return None
    *_, last = handshake(hooks, opening(hooks, ports))
    return last if last.fails else None


def has_input(hooks: Hooks) -> bool:
    """Whether the source says what comes in."""
    main = hooks.deciding_chain(Hook.INPUT)
    return main is not None and bool(main.chain.origin or main.chain.rules)


def ssh_ports(hooks: Hooks, settings: Settings) -> tuple[int, ...]:
    """Where sshd listens: what the user says, or 22 and what the rules make evident."""
    if settings.ssh_ports != Settings().ssh_ports:
        return settings.ssh_ports
    *_, last = handshake(hooks, opening(hooks, settings.ssh_ports))
    evident = _evident_ports(hooks) if last.fails else ()
    return tuple(dict.fromkeys((*settings.ssh_ports, *evident)))


def _evident_ports(hooks: Hooks) -> tuple[int, ...]:
    main = hooks.deciding_chain(Hook.INPUT)
    if main is None:
        return ()
    evident = (
        port
        for _, rule in main.analysis.table.rules()
        if rule.verdict.kind is VerdictKind.ACCEPT
        for port in _ssh_ports_of(hooks, main.analysis, rule)
    )
    return tuple(dict.fromkeys(evident))


def _ssh_ports_of(hooks: Hooks, analysis: TableAnalysis, rule: Rule) -> Iterator[int]:
    """The ports, among few, to which the rule lets new connections in, and SSH ones at that."""
    if Hook.INPUT not in analysis.calls.hooks_of(analysis.place(rule).chain):
        return
    space = analysis.space
    packets = space.project(analysis.matched(rule) & opening(hooks), Field.DPORT)
    if not 0 < packets.sat_count_float(space.fields[Field.DPORT].width) <= FEW_PORTS:
        return
    named = "ssh" in (rule.comment or "").lower()
    for port in range(1, 1 << 16) if named else _USUAL_ELSEWHERE:
        if (packets & space.value(Field.DPORT, port)).satisfiable():
            yield port
