"""The statements of a rule."""

from __future__ import annotations

from dataclasses import dataclass

from iptlint.dialects.nft.expressions import (
    Comment,
    Element,
    Expression,
    Selector,
    SetLiteral,
    SetReference,
    Timing,
    Value,
    Variable,
)
from iptlint.dialects.nft.nodes import Node, StatementNode


@dataclass(frozen=True, slots=True)
class Match(StatementNode):
    """``left operator right``. ``operator`` is None where none was written.

    What that implies depends on the right side: equality, membership, or for flags
    that any of them is set; ``!`` says that none of them is.
    """

    left: Expression
    operator: str | None
    right: Expression


@dataclass(frozen=True, slots=True)
class MaskMatch(StatementNode):
    """``tcp flags syn / fin,syn,rst,ack``: of the bits in ``mask``, those in ``value`` are set."""

    left: Expression
    operator: str | None
    value: Expression
    mask: Expression


@dataclass(frozen=True, slots=True)
class Verdict(StatementNode):
    """``accept drop continue return``, and with a chain ``jump goto``."""

    name: str
    chain: Value | Variable | None = None


@dataclass(frozen=True, slots=True)
class JumpBlock(StatementNode):
    """``jump { … }``: a chain without a name."""

    name: str
    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class VerdictMap(StatementNode):
    key: Expression
    mapping: SetLiteral | SetReference | Variable


@dataclass(frozen=True, slots=True)
class Counter(StatementNode):
    packets: Value | None = None
    bytes: Value | None = None


@dataclass(frozen=True, slots=True)
class ObjectUse(StatementNode):
    """``counter name "x"``: a stateful object of the table, or a map to some."""

    kind: str
    name: Expression


@dataclass(frozen=True, slots=True)
class Limit(StatementNode):
    """``limit rate over 10 mbytes/second burst 5 mbytes``.

    ``mode`` is ``over``, ``until`` or None; a unit of None counts packets.
    """

    mode: str | None
    rate: Value
    unit: str | None
    per: str
    burst: Value | None = None
    burst_unit: str | None = None


@dataclass(frozen=True, slots=True)
class Quota(StatementNode):
    mode: str | None
    amount: Value
    unit: str
    used: Value | None = None
    used_unit: str | None = None


@dataclass(frozen=True, slots=True)
class ConnectionLimit(StatementNode):
    """``ct count over 10``."""

    over: bool
    count: Value


@dataclass(frozen=True, slots=True)
class Last(StatementNode):
    """``last used 5m``, ``last used never``."""

    used: Value | None = None


@dataclass(frozen=True, slots=True)
class Log(StatementNode):
    prefix: Value | Variable | None = None
    group: Value | None = None
    snaplen: Value | None = None
    queue_threshold: Value | None = None
    level: Value | None = None
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reject(StatementNode):
    """``protocol`` is icmp, icmpv6, icmpx or tcp (a reset, without ``reason``)."""

    protocol: str | None = None
    reason: Expression | None = None


@dataclass(frozen=True, slots=True)
class Nat(StatementNode):
    """``snat dnat masquerade redirect fullcone``.

    ``form`` is what stands before ``to``: ``addr . port``, ``interval`` or ``prefix``.
    """

    name: str
    family: str | None = None
    form: str | None = None
    address: Expression | None = None
    port: Expression | None = None
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Tproxy(StatementNode):
    family: str | None = None
    address: Expression | None = None
    port: Expression | None = None


@dataclass(frozen=True, slots=True)
class Queue(StatementNode):
    target: Expression | None = None
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Dup(StatementNode):
    address: Expression
    device: Expression | None = None


@dataclass(frozen=True, slots=True)
class Fwd(StatementNode):
    family: str | None
    target: Expression
    device: Expression | None = None


@dataclass(frozen=True, slots=True)
class Synproxy(StatementNode):
    mss: Value | None = None
    wscale: Value | None = None
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Mangle(StatementNode):
    """``meta mark set …``, ``tcp dport set …``, ``ct helper set …``."""

    target: Selector
    value: Expression


@dataclass(frozen=True, slots=True)
class SetUpdate(StatementNode):
    """``add @seen { ip saddr timeout 1m }``; the element of a map has data."""

    operation: str
    element: Expression | Element
    target: SetReference | Variable


@dataclass(frozen=True, slots=True)
class Meter(StatementNode):
    """``meter ssh size 128 { ip saddr limit rate 10/second }``."""

    name: Value | None
    size: Value | None
    key: Expression
    extras: tuple[Timing | Comment | StatementNode, ...]
    statement: Statement


@dataclass(frozen=True, slots=True)
class Notrack(StatementNode):
    pass


@dataclass(frozen=True, slots=True)
class FlowAdd(StatementNode):
    """``flow add @name``."""

    flowtable: Value


@dataclass(frozen=True, slots=True)
class StripOption(StatementNode):
    """``reset tcp option sack-perm``."""

    option: Selector


@dataclass(frozen=True, slots=True)
class Foreign(StatementNode):
    """``xt match recent``: made by iptables-nft, and the listing does not say what it asks."""

    kind: str
    name: str


Statement = (
    Match
    | MaskMatch
    | Verdict
    | JumpBlock
    | VerdictMap
    | Counter
    | ObjectUse
    | Limit
    | Quota
    | ConnectionLimit
    | Last
    | Log
    | Reject
    | Nat
    | Tproxy
    | Queue
    | Dup
    | Fwd
    | Synproxy
    | Mangle
    | SetUpdate
    | Meter
    | Notrack
    | FlowAdd
    | StripOption
    | Foreign
)
