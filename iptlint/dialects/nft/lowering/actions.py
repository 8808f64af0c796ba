"""What each kind of statement does; tests of the packet are in ``tests``.

Where a statement breaks its rule off is from the kernel's files (net/netfilter/nft_*.c): those
that set the verdict NFT_BREAK.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

from iptlint.dialects.nft import tree as t
from iptlint.dialects.nft.lowering.canonical_text import spelled
from iptlint.dialects.nft.lowering.matches import Branch, branches, exact, tests
from iptlint.dialects.nft.lowering.membership import global_name
from iptlint.dialects.nft.lowering.nat import nat
from iptlint.dialects.nft.lowering.operands import any_of, demanded, operand, unsettled
from iptlint.dialects.nft.lowering.reject import reject
from iptlint.dialects.nft.lowering.rewrites import mangle, strip_option
from iptlint.dialects.nft.lowering.statement_result import (
    NOTHING,
    Matches,
    RuleScope,
    StatementResult,
    VerdictBranch,
    write,
)
from iptlint.dialects.nft.lowering.thresholds import by_object, of_meter, of_update, threshold
from iptlint.dialects.nft.lowering.xt_compat import foreign
from iptlint.dialects.verdict_words import queue, synproxy
from iptlint.model import Effect, EffectKind, Family, Field, Uncertain, Verdict, VerdictKind, Within
from iptlint.model.matches import PACKET_FAMILIES
from iptlint.model.protocols import TCP

_TCP: Matches = (Within(Field.PROTO, ((TCP, TCP),)),)


# -- verdicts -------------------------------------------------------------------------


@cache
def _verdict(name: str, chain: str | None) -> Verdict | None:
    """None for ``continue``, which is none."""
    if chain is not None:
        return Verdict(VerdictKind(name), chain, chain)
    return None if name == "continue" else Verdict(VerdictKind(name), name)


@cache
def _verdict_result(name: str, chain: str | None) -> StatementResult:
    return StatementResult(verdict=_verdict(name, chain))


def _chain(statement: t.Verdict) -> str | None:
    return statement.chain.text if isinstance(statement.chain, t.Value) else None


def _plain_verdict(statement: t.Verdict, _: RuleScope) -> StatementResult:
    return _verdict_result(statement.name, _chain(statement))


def _jump_block(statement: t.JumpBlock, scope: RuleScope) -> StatementResult:
    return _verdict_result(statement.name, scope.block(statement, scope.lowering.source))


def _verdict_map(statement: t.VerdictMap, scope: RuleScope) -> StatementResult:
    key, mapping, lowering = statement.key, statement.mapping, scope.lowering
    if not isinstance(mapping, t.SetLiteral | t.SetReference):
        return unknown(statement, scope)
    outcomes = branches(key, mapping, lowering)
    if exact(mapping, lowering):
        verdicts = tuple(_verdict_branch(branch, branch.matches, scope) for branch in outcomes)
        going_on = tuple(b for b, f in zip(outcomes, verdicts, strict=True) if f.verdict is None)
        return StatementResult(branches=verdicts, after=any_of(going_on))
    # What is in the map when a packet comes is not known: those elements, or any others.
    matches = unsettled(key, mapping, lowering)
    known = (_verdict_branch(branch, matches, scope) for branch in outcomes)
    calls = (
        VerdictBranch(matches, _verdict("jump", name), None) for name in scope.uncalled_chains()
    )
    other = VerdictBranch(matches, Verdict(VerdictKind.UNKNOWN, "vmap"), None)
    return StatementResult(branches=(*known, *calls, other), after=matches)


def _verdict_branch(branch: Branch, matches: Matches, scope: RuleScope) -> VerdictBranch:
    match branch.data:
        case t.Verdict() as data:
            return VerdictBranch(matches, _verdict(data.name, _chain(data)), branch.place)
        case t.JumpBlock() as block:
            return VerdictBranch(matches, _jump_block(block, scope).verdict, branch.place)
        case t.Value(name) if name in ("accept", "drop", "continue", "return"):
            return VerdictBranch(matches, _verdict(name, None), branch.place)
        case _:
            return VerdictBranch(matches, Verdict(VerdictKind.UNKNOWN, "vmap"), branch.place)


def _queue(statement: t.Queue, scope: RuleScope) -> StatementResult:
    target = statement.target
    before = () if target is None else operand(target, scope.lowering).matches
    where = "" if target is None else f"to {spelled(target)}"
    options = " ".join(filter(None, (where, *sorted(statement.flags))))
    words = queue("0" if target is None else spelled(target), statement.flags)
    verdict = Verdict(VerdictKind.QUEUE, "queue", None, options, words=words)
    # Whoever reads the queue may mark the packet (nfnetlink_queue.c).
    return StatementResult(
        before=before, effects=(write(Field.MARK),), complete=True, verdict=verdict
    )


def _forward(statement: t.Fwd, scope: RuleScope) -> StatementResult:
    """Another device sends it, and no later rule sees it: NF_STOLEN (nft_fwd_netdev.c)."""
    verdict = Verdict(VerdictKind.QUEUE, "fwd", None, spelled(statement))
    return StatementResult(before=_of_family(statement.family, scope), verdict=verdict)


def _of_family(family: str | None, scope: RuleScope) -> Matches:
    if family is None or family not in PACKET_FAMILIES:
        return ()
    if scope.lowering.table.family in (Family.IP, Family.IP6):
        return ()
    number = PACKET_FAMILIES.index(family)
    return (Within(Field.FAMILY, ((number, number),)),)


# -- what may end a rule --------------------------------------------------------------------


def _rate(statement: t.Limit | t.Quota | t.ConnectionLimit, _: RuleScope) -> StatementResult:
    return StatementResult(before=(threshold(statement),))


def _synproxy(statement: t.Synproxy | t.ObjectUse, _: RuleScope) -> StatementResult:
    """It answers or swallows handshakes and lets the rest of tcp go on (nft_synproxy.c)."""
    text = spelled(statement)
    words = text
    if isinstance(statement, t.Synproxy):
        words = synproxy(spelled(statement.mss), spelled(statement.wscale), statement.flags)
    verdict = Verdict(VerdictKind.UNKNOWN, "synproxy", None, text, words=words)
    return StatementResult(before=_TCP, verdict=verdict, after=(Uncertain("synproxy", text),))


def _tproxy(statement: t.Tproxy, scope: RuleScope) -> StatementResult:
    """The rule goes on only for packets that a local socket is there for (nft_tproxy.c)."""
    where = (part for part in (statement.address, statement.port) if part is not None)
    demands = tuple(m for part in where for m in operand(part, scope.lowering).matches)
    test = Uncertain("tproxy", spelled(statement))
    before = (*_of_family(statement.family, scope), *demands, test)
    return StatementResult(before=before, name="tproxy", text=spelled(statement))


def _flow_add(statement: t.FlowAdd, _: RuleScope) -> StatementResult:
    """It breaks off for all but packets of connections it takes over (nft_flow_offload.c)."""
    text = spelled(statement)
    return StatementResult(name="flow add", text=text, after=(Uncertain("flow", text),))


_OBJECTS: dict[str, Callable[[t.ObjectUse, RuleScope], StatementResult]] = {
    "limit": lambda statement, _: StatementResult(before=(by_object("limit", statement),)),
    "quota": lambda statement, _: StatementResult(before=(by_object("quota", statement),)),
    "synproxy": _synproxy,
    "tunnel": lambda statement, _: StatementResult(name="tunnel", text=spelled(statement)),
}


def _object(statement: t.ObjectUse, scope: RuleScope) -> StatementResult:
    """An object of a map is there for the packets in the map only (nft_objref.c)."""
    matches = operand(statement.name, scope.lowering).matches
    make = _OBJECTS.get(statement.kind)
    result = make(statement, scope) if make else NOTHING
    if not matches:
        return result
    return replace(result, before=(*matches, *result.before))


def unknown(statement: t.Statement, _: RuleScope) -> StatementResult:
    """JSON may hold what no text can."""
    text = spelled(statement)
    return StatementResult(
        verdict=Verdict(VerdictKind.UNKNOWN, "unread"), after=(Uncertain("unread", text),)
    )


# -- sets ---------------------------------------------------------------------------------


def _set_update(statement: t.SetUpdate, scope: RuleScope) -> StatementResult:
    """A set that is full takes no more, and the rule breaks off; so do limits in the element
    (nft_dynset.c). Deleting never does."""
    element, text = statement.element, spelled(statement)
    effects = (_set_effect(statement.target, scope),)
    fails = statement.operation != "delete"
    after = (of_update(statement, scope.lowering.table),) if fails else ()
    before = demanded(element, scope.lowering)
    name = statement.operation
    return StatementResult(before=before, effects=effects, name=name, text=text, after=after)


def _set_effect(target: t.SetReference | t.Variable, scope: RuleScope) -> Effect:
    table = scope.lowering.table
    name = target.name.text if isinstance(target, t.SetReference) else target.name
    return Effect(EffectKind.SET, name=global_name(table, name))


def _meter(statement: t.Meter, scope: RuleScope) -> StatementResult:
    before = demanded(statement.key, scope.lowering)
    return StatementResult(before=(*before, of_meter(statement)))


# -- what goes on ---------------------------------------------------------------------------


def _match(statement: t.Match | t.MaskMatch, scope: RuleScope) -> StatementResult:
    return StatementResult(before=tests(statement, scope.lowering))


def _log(statement: t.Log, _: RuleScope) -> StatementResult:
    prefix = statement.prefix.text if isinstance(statement.prefix, t.Value) else ""
    # `level audit` speaks to the audit subsystem, as the target AUDIT does (nft_log.c).
    audits = statement.level is not None and statement.level.text == "audit"
    log = Effect(EffectKind.LOG, name=prefix, to_program=statement.group is not None)
    effects = () if audits else (log,)
    complete = statement == t.Log(statement.prefix)
    return StatementResult(effects=effects, name="log", text=spelled(statement), complete=complete)


def _dup(statement: t.Dup, scope: RuleScope) -> StatementResult:
    parts = (part for part in (statement.address, statement.device) if part is not None)
    before = tuple(m for part in parts for m in operand(part, scope.lowering).matches)
    return StatementResult(before=before, name="dup", text=spelled(statement))


_NOTRACK = StatementResult(
    effects=(Effect(EffectKind.NOTRACK),), name="notrack", text="notrack", complete=True
)

STEPS: dict[type, Callable[[Any, RuleScope], StatementResult]] = {
    t.Match: _match,
    t.MaskMatch: _match,
    t.Verdict: _plain_verdict,
    t.JumpBlock: _jump_block,
    t.VerdictMap: _verdict_map,
    t.Counter: lambda *_: NOTHING,
    t.Last: lambda *_: NOTHING,
    t.ObjectUse: _object,
    t.Limit: _rate,
    t.Quota: _rate,
    t.ConnectionLimit: _rate,
    t.Log: _log,
    t.Reject: reject,
    t.Nat: nat,
    t.Tproxy: _tproxy,
    t.Queue: _queue,
    t.Dup: _dup,
    t.Fwd: _forward,
    t.Synproxy: _synproxy,
    t.Mangle: mangle,
    t.SetUpdate: _set_update,
    t.Meter: _meter,
    t.Notrack: lambda *_: _NOTRACK,
    t.FlowAdd: _flow_add,
    t.StripOption: strip_option,
    t.Foreign: foreign,
}
"""A row for each kind of statement."""
