"""``xt match "…"``: extensions of iptables that nft has no words for.

A listing names them and leaves out what they were given, so a match may hold or not. What a
target certainly does is a row; of any other nothing is known.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from iptlint.dialects.diagnostics import Diagnostic
from iptlint.dialects.nft import tree as t
from iptlint.dialects.nft.lowering.canonical_text import spelled
from iptlint.dialects.nft.lowering.statement_result import RuleScope, StatementResult, write
from iptlint.dialects.nft.tables import OpenTable
from iptlint.model import Effect, EffectKind, Field, Uncertain, Verdict, VerdictKind
from iptlint.source import SourceFile

_Row = tuple[VerdictKind, tuple[Effect, ...]]


def _rows(names: str, kind: VerdictKind, *effects: Effect) -> dict[str, _Row]:
    return dict.fromkeys(names.split(), (kind, effects))


def _writes(fields: Iterable[Field]) -> tuple[Effect, ...]:
    return tuple(map(write, fields))


_GOES_ON = VerdictKind.CONTINUE
_CONNECTION = (Field.CT_STATE, Field.CT_DIRECTION, Field.CT_SNAT, Field.CT_DNAT, Field.CT_MARK)
_TO_SOURCE = (Field.SADDR, Field.SADDR6, Field.SPORT)
_TO_DESTINATION = (Field.DADDR, Field.DADDR6, Field.DPORT)

_TARGETS: dict[str, _Row] = {
    **_rows("LOG log nflog", _GOES_ON, Effect(EffectKind.LOG, name="")),
    **_rows("NFLOG ULOG", _GOES_ON, Effect(EffectKind.LOG, name="", to_program=True)),
    **_rows("AUDIT TRACE CLASSIFY TEE SECMARK CONNSECMARK IDLETIMER LED RATEEST SET", _GOES_ON),
    **_rows("TCPMSS TCPOPTSTRIP CHECKSUM", _GOES_ON),
    **_rows("MARK HMARK", _GOES_ON, write(Field.MARK)),
    **_rows("CONNMARK", _GOES_ON, *_writes((Field.MARK, Field.CT_MARK))),
    **_rows("TTL HL", _GOES_ON, write(Field.TTL)),
    **_rows("TOS DSCP", _GOES_ON, write(Field.TOS)),
    **_rows("ECN", _GOES_ON, *_writes((Field.TOS, Field.TCP_FLAGS))),
    **_rows("DNPT", _GOES_ON, write(Field.DADDR6)),
    **_rows("SNPT", _GOES_ON, write(Field.SADDR6)),
    **_rows("NOTRACK", _GOES_ON, Effect(EffectKind.NOTRACK)),
    # CT may leave the packet untracked, or give its connection a helper.
    **_rows("CT", _GOES_ON, *_writes(_CONNECTION)),
    **_rows("REJECT", VerdictKind.REJECT),
    **_rows("TARPIT", VerdictKind.DROP),
    **_rows("NFQUEUE QUEUE TPROXY", VerdictKind.QUEUE, write(Field.MARK)),
    **_rows("SNAT MASQUERADE", VerdictKind.NAT, *_writes((*_TO_SOURCE, Field.CT_SNAT))),
    **_rows("DNAT REDIRECT", VerdictKind.NAT, *_writes((*_TO_DESTINATION, Field.CT_DNAT))),
    # Ports stay (xt_NETMAP.c).
    **_rows("NETMAP", VerdictKind.NAT, *_writes((*_TO_SOURCE[:2], *_TO_DESTINATION[:2]))),
}

_MATCH = "match"


def foreign(statement: t.Foreign, _: RuleScope) -> StatementResult:
    if statement.kind == _MATCH:
        return StatementResult(before=(Uncertain(statement.name, spelled(statement)),))
    row = _TARGETS.get(statement.name)
    # A kind that is not told may be a match as well.
    if row is None or statement.kind not in ("target", "watcher"):
        verdict = Verdict(VerdictKind.UNKNOWN, statement.name or "xt")
        return StatementResult(verdict=verdict, after=(Uncertain("xt", spelled(statement)),))
    kind, effects = row
    if kind is _GOES_ON:
        return StatementResult(effects=effects, name=statement.name, text=spelled(statement))
    return StatementResult(effects=effects, verdict=Verdict(kind, statement.name))


def unprinted(tables: Iterable[OpenTable]) -> Iterator[Diagnostic]:
    """One for each extension: that the listing does not say what it asks, and where it stands
    first."""
    by_name: dict[str, list[tuple[t.Foreign, SourceFile]]] = {}
    for table in tables:
        for chain in table.chains.values():
            for placed in chain.rules:
                for statement in placed.rule.statements:
                    if isinstance(statement, t.Foreign) and statement.kind == _MATCH:
                        by_name.setdefault(statement.name, []).append((statement, placed.source))
    for name, several in by_name.items():
        first, source = several[0]
        often = f" ({len(several)} times here)" if len(several) > 1 else ""
        yield Diagnostic(
            "IPT002",
            "info",
            first.start,
            first.end,
            f"nft does not print what the iptables match {name} asks{often}: it may hold or not, "
            "so a rule with it takes no packet for certain",
            "lint what `iptables-save` prints of these tables as well",
            source,
        )
