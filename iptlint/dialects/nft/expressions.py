"""The expressions of a rule: what is looked at, and what it is compared with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from iptlint.dialects.nft.nodes import Node, StatementNode


class Kind(Enum):
    """How a value is written; what it means depends on what it is compared with."""

    SYMBOL = "symbol"
    NUMBER = "number"
    ADDRESS = "address"  # IPv4, IPv6 (without its brackets) and MAC
    STRING = "string"  # in quotes
    WILDCARD = "wildcard"  # eth*
    TIME = "time"  # 1h30m
    CLASSID = "classid"  # 1:a0


# -- values ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Value(Node):
    """A word as written, without quotes."""

    text: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class Variable(Node):
    """``$name``."""

    name: str


@dataclass(frozen=True, slots=True)
class SetReference(Node):
    """``@name``."""

    name: Value


@dataclass(frozen=True, slots=True)
class Everything(Node):
    """``*`` as the key of an element: what no other element takes."""


@dataclass(frozen=True, slots=True)
class Prefix(Node):
    base: Expression
    length: Value


@dataclass(frozen=True, slots=True)
class Range(Node):
    low: Expression
    high: Expression


@dataclass(frozen=True, slots=True)
class Concat(Node):
    """``a . b . c``."""

    parts: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Listing(Node):
    """``new,established``: flags that are tested or set together."""

    items: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Bitwise(Node):
    """``operator`` is one of ``& | ^ << >>``, however it was spelled."""

    left: Expression
    operator: str
    right: Expression


@dataclass(frozen=True, slots=True)
class Negative(Node):
    """``-5``; only a ``define`` takes one."""

    number: Value


# -- sets and maps --------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Timing(Node):
    """``timeout 1h`` or ``expires 5m`` of an element."""

    name: str
    time: Expression


@dataclass(frozen=True, slots=True)
class Comment(Node):
    text: Value


@dataclass(frozen=True, slots=True)
class Element(Node):
    """An element with more to it than its key; ``data`` is what a map has for it."""

    key: Expression
    extras: tuple[Timing | Comment | StatementNode, ...] = ()
    data: Expression | StatementNode | None = None


@dataclass(frozen=True, slots=True)
class SetLiteral(Node):
    """``{ … }``. Very many plain elements are made only when they are looked at."""

    elements: Sequence[Expression | Element]


@dataclass(frozen=True, slots=True)
class Lookup(Node):
    """``key map { … }`` or ``key map @name``."""

    key: Expression
    mapping: SetLiteral | SetReference | Variable


# -- what a packet has ------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Payload(Node):
    """``tcp dport``; ``tunnel`` is the outer protocol of ``vxlan ip saddr``."""

    protocol: str
    field: str
    tunnel: str | None = None


@dataclass(frozen=True, slots=True)
class RawPayload(Node):
    """``@th,16,16``: offset and length in bits."""

    base: str
    offset: int
    length: int


@dataclass(frozen=True, slots=True)
class HeaderOption(Node):
    """``ip option ra value``, ``tcp option maxseg size``, ``sctp chunk data tsn``.

    Without a field it is the option itself, which is there or missing.
    """

    protocol: str
    option: str
    field: str | None = None


@dataclass(frozen=True, slots=True)
class RawOption(Node):
    """``tcp option @34,0,8``: kind, offset and length in bits."""

    kind: str
    offset: int
    length: int


@dataclass(frozen=True, slots=True)
class ExtensionHeader(Node):
    """``frag id``, ``rt0 addr[1]``; without a field (``exthdr frag``) the header itself."""

    header: str
    field: str | None = None
    index: int | None = None


@dataclass(frozen=True, slots=True)
class Meta(Node):
    """``meta mark``; many keys stand without the word ``meta``."""

    key: str


@dataclass(frozen=True, slots=True)
class Ct(Node):
    """``ct state``, ``ct original ip saddr``."""

    key: str
    direction: str | None = None
    family: str | None = None


@dataclass(frozen=True, slots=True)
class Routing(Node):
    """``rt classid``, ``rt ip nexthop``."""

    key: str
    family: str | None = None


@dataclass(frozen=True, slots=True)
class Socket(Node):
    """``socket transparent``; ``level`` belongs to ``cgroupv2``."""

    key: str
    level: int | None = None


@dataclass(frozen=True, slots=True)
class Fingerprint(Node):
    """``osf name``, ``osf ttl skip version``."""

    key: str
    ttl: str | None = None


@dataclass(frozen=True, slots=True)
class Fib(Node):
    """``fib saddr . iif oif``; ``check``: ``fib … check exists``."""

    flags: tuple[str, ...]
    result: str


@dataclass(frozen=True, slots=True)
class Ipsec(Node):
    """``ipsec in spnum 1 ip saddr``."""

    direction: str
    key: str
    family: str | None = None
    spnum: int | None = None


@dataclass(frozen=True, slots=True)
class TunnelKey(Node):
    """``tunnel id``."""

    key: str


@dataclass(frozen=True, slots=True)
class Numgen(Node):
    mode: str
    modulus: int
    offset: int | None = None


@dataclass(frozen=True, slots=True)
class Hash(Node):
    """``jhash ip saddr mod 2 seed 1``; ``symhash`` has neither key nor seed."""

    name: str
    key: Expression | None
    modulus: int
    seed: int | None = None
    offset: int | None = None


Selector = (
    Payload
    | RawPayload
    | HeaderOption
    | RawOption
    | ExtensionHeader
    | Meta
    | Ct
    | Routing
    | Socket
    | Fingerprint
    | Fib
    | Ipsec
    | TunnelKey
    | Numgen
    | Hash
)
Expression = (
    Value
    | Variable
    | SetReference
    | Everything
    | Prefix
    | Range
    | Concat
    | Listing
    | Bitwise
    | Negative
    | SetLiteral
    | Lookup
    | Selector
)
