"""A handshake that fails, in words: which packet, who ends it, and what lets it through."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from iptlint.analysis.bans import names_senders
from iptlint.analysis.connections import tests_state
from iptlint.analysis.handshake import HandshakeStep, answers
from iptlint.analysis.hook_verdicts import may_pass
from iptlint.analysis.shares import Share, surely_decides
from iptlint.analysis.untracked import untracked_losses
from iptlint.findings import suggestions
from iptlint.findings.phrases import so_many_others
from iptlint.model import Family, Hook
from iptlint.netfilter.firewall import Hooks, is_early

_ACK = ("ACK", Hook.INPUT, ("ack",))
_ANSWERS = {
    "SYN": (("SYN-ACK", Hook.OUTPUT, ("syn", "ack")), _ACK),
    "SYN-ACK": (_ACK,),
    "ACK": (),
}
"""The packets that follow, the way of each, and its flags."""


def message(hooks: Hooks, step: HandshakeStep, shares: list[Share], port: str, result: str) -> str:
    """What happens to the packet of this step, and at which line."""
    first, *more = shares
    others = [share for share in more if surely_decides(share, step.hook)]
    name = _name(hooks, first)
    share = "most of " if more else ""
    rest = f" ({_the_others(hooks, others)})" if others else ""
    match step.packet:
        case "SYN":
            return f"{result}: {name} {first.does} {share}the SYNs to {port}{rest}"
        case "SYN-ACK":
            return (
                f"{result}: the SYN to {port} comes in, but {name} {first.does} "
                f"{share}the SYN-ACKs on their way out{rest}"
            )
        case _:
            return (
                f"{result}: the SYN to {port} comes in and the SYN-ACK leaves, but "
                f"{name} {first.does} {share}the ACKs that complete the handshake{rest}"
            )


def _name(hooks: Hooks, share: Share) -> str:
    """With its table, where that is not the one that decides."""
    if _is_main(hooks, share):
        return share.name
    return f"{share.name} of {hooks.ruleset.syntax.table_name(share.analysis.table)}"


def _the_others(hooks: Hooks, shares: Sequence[Share]) -> str:
    return so_many_others(len(shares), _name(hooks, shares[0]))


def advice(
    hooks: Hooks,
    step: HandshakeStep,
    deciders: Sequence[Share],
    ports: tuple[int, ...],
    source: str | None = None,
) -> str:
    decider = deciders[0]
    main = hooks.deciding_chain(step.hook)
    if main is None or not _is_main(hooks, decider):
        if _asks_too_early(decider, step.hook):
            return "move that test of the state behind connection tracking: to priority mangle"
        return f"except port {ports[0]} there (or say where sshd listens: --ssh-ports)"
    base, then = decider.base(step.hook).name, "".join(_answering(hooks, step))
    tracked_alone = _accepts_only_tracked(hooks, step, decider) if step.packet == "SYN" else None
    if tracked_alone is not None:
        return tracked_alone + then
    if step.packet != "SYN":
        return suggestions.first(decider, base, suggestions.ESTABLISHED) + then
    accept = suggestions.accept_ssh(ports[0], source, six=hooks.family is Family.IP6)
    several = any(_has_to_come_later(hooks, step, each) for each in deciders[1:])
    rule = (suggestions.at_the_top if several else suggestions.first)(decider, base, accept)
    tables = "".join(_other_tables(hooks, step, deciders))
    return f"{rule}{tables}{then} (or say where sshd listens: --ssh-ports)"


def _asks_too_early(decider: Share, hook: Hook) -> bool:
    """Whether its rule asks for the connection of packets that have none yet."""
    rule = decider.rule
    return rule is not None and any(map(tests_state, rule.matches)) and is_early(decider.base(hook))


def _has_to_come_later(hooks: Hooks, step: HandshakeStep, decider: Share) -> bool:
    """Whether new connections are to be let in before the rule is asked: not before a ban, which
    is to keep those out that it names."""
    if decider.rule is None or not surely_decides(decider, step.hook):
        return False
    return not any(names_senders(hooks.family, match) for match in decider.rule.matches)


def _accepts_only_tracked(hooks: Hooks, step: HandshakeStep, decider: Share) -> str | None:
    """What to write where a rule would accept the SYNs, were they tracked."""
    for loss in untracked_losses(hooks):
        rule = loss.accepting.rule
        same = loss.hook is step.hook and (loss.state, loss.instead) == ("new", "untracked")
        if rule is not None and same and (loss.by.packets & decider.packets).satisfiable():
            mended = decider.analysis.syntax.with_state(rule, "untracked")
            return f"write: {mended}, as {loss.notrack.name} has them untracked" if mended else None
    return None


def _other_tables(hooks: Hooks, step: HandshakeStep, deciders: Sequence[Share]) -> Iterator[str]:
    """Where else they have to be let in: each table may drop what the others accept."""
    others = [
        f"{share.base(step.hook).name} of {hooks.ruleset.syntax.table_name(share.analysis.table)}"
        for share in deciders[1:]
        if not _is_main(hooks, share) and surely_decides(share, step.hook)
    ]
    return (f"; and in {chain}, too" for chain in dict.fromkeys(others))


def _answering(hooks: Hooks, step: HandshakeStep) -> Iterator[str]:
    """What else has to be added for the rest of the handshake."""
    sent = step.sent
    for packet, hook, flags in _ANSWERS[step.packet]:
        main = hooks.deciding_chain(hook)
        sent = answers(hooks, sent, hook, *flags, reply=packet == "SYN-ACK")
        if main and not may_pass(hooks, hook, sent).satisfiable():
            rule = suggestions.into(suggestions.ESTABLISHED, main.chain.name, hooks)
            yield f"; and at the top of {main.chain.name}: {rule}"


def _is_main(hooks: Hooks, decider: Share) -> bool:
    """Whether it decides in the table that decides what the host lets in."""
    main = hooks.deciding_chain(Hook.INPUT)
    return main is not None and decider.analysis is main.analysis
