"""What a file is made of: commands, what their blocks hold, definitions and includes."""

from __future__ import annotations

from dataclasses import dataclass, field

from iptlint.dialects.diagnostics import SyntaxDiagnostic
from iptlint.dialects.nft.expressions import Comment, Expression, SetLiteral, Value, Variable
from iptlint.dialects.nft.nodes import Node
from iptlint.dialects.nft.statements import Statement
from iptlint.source import SourceFile


@dataclass(frozen=True, slots=True)
class Rule(Node):
    statements: tuple[Statement, ...]
    comment: Value | None = None


# -- properties, in a block or on a command's line ----------------------------------


@dataclass(frozen=True, slots=True)
class Priority(Node):
    """``filter - 5``, ``-300``, ``$prio``."""

    base: Value | Variable | None
    sign: str | None = None
    offset: Value | None = None


@dataclass(frozen=True, slots=True)
class Hook(Node):
    """``type filter hook input devices = { eth0 } priority filter``; a flowtable has no type."""

    type: Value | None
    hook: Value
    devices: Expression | None
    priority: Priority | None


@dataclass(frozen=True, slots=True)
class Policy(Node):
    """A chain's verdict, or what a set is optimised for."""

    policy: Value | Variable


@dataclass(frozen=True, slots=True)
class Flags(Node):
    flags: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class KeyType(Node):
    """``type ipv4_addr . inet_service : verdict``."""

    key: tuple[Value, ...]
    data: tuple[Value, ...] = ()
    interval: bool = False


@dataclass(frozen=True, slots=True)
class KeyLike(Node):
    """``typeof ip saddr . tcp dport : meta mark``."""

    key: Expression
    data: Expression | None = None
    interval: bool = False


@dataclass(frozen=True, slots=True)
class Elements(Node):
    elements: Expression


@dataclass(frozen=True, slots=True)
class Devices(Node):
    devices: Expression


@dataclass(frozen=True, slots=True)
class Property(Node):
    """A name and at most one value: ``timeout 1h``, ``size 512``, ``auto-merge`` …"""

    name: str
    value: Expression | None = None


@dataclass(frozen=True, slots=True)
class HelperType(Node):
    """``type "ftp" protocol tcp``."""

    helper: Value
    protocol: Value


@dataclass(frozen=True, slots=True)
class StateTimeout(Node):
    state: Value
    time: Value


@dataclass(frozen=True, slots=True)
class TimeoutPolicy(Node):
    """``policy = { established : 2m, close : 5 }``."""

    timeouts: tuple[StateTimeout, ...]


# -- commands -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Position(Node):
    """``handle 5``, ``index 0``, ``position 5``."""

    kind: str
    number: Value


@dataclass(frozen=True, slots=True)
class Command(Node):
    """``[verb] kind path { body }``, at the top or inside a table's block.

    ``path`` names the table, then the chain, set or object in it; inside a table the table
    goes without saying. ``verb`` is None where it was left out, which means ``add``. ``body``
    is None without a block; of an element it is the set, of a rule command the rule, of
    a rename the new name.
    """

    verb: str | None
    kind: str
    family: str | None
    path: tuple[Value, ...]
    position: Position | None = None
    body: tuple[Item, ...] | None = None


@dataclass(frozen=True, slots=True)
class Define(Node):
    """``define``, ``redefine`` or ``undefine`` (without a value)."""

    verb: str
    name: Value
    value: Expression | None


@dataclass(frozen=True, slots=True)
class Include(Node):
    """The files that ``path`` stands for, in the order they are read."""

    path: Value
    files: tuple[IncludedFile, ...] = ()


@dataclass(frozen=True, slots=True)
class IncludedFile:
    source: SourceFile = field(compare=False)
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Describe(Node):
    """``describe tcp flags``."""

    expression: Expression


Item = (
    Command
    | Define
    | Include
    | Describe
    | Rule
    | Hook
    | Policy
    | Flags
    | KeyType
    | KeyLike
    | Elements
    | Devices
    | Property
    | HelperType
    | TimeoutPolicy
    | Comment
    | SetLiteral
    | Statement
    | Value
    | Variable
)


@dataclass(frozen=True, slots=True, eq=False)
class NftFile:
    source: SourceFile
    items: tuple[Item, ...]
    diagnostics: tuple[SyntaxDiagnostic, ...]
