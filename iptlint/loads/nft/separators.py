"""What stands between the properties in a block: most end with a line or a semicolon."""

from __future__ import annotations

import re

from iptlint.dialects.nft import tree as t
from iptlint.dialects.nft.execution.state import BlockContext
from iptlint.loads.nft import checks
from iptlint.loads.nft.trial import Trial

_SEPARATOR = re.compile(r"[;\n]")
_SETS = ("set", "map")
_OTHERS = ("ct helper", "flowtable")
_STATEFUL = (t.Counter, t.Limit, t.Quota, t.ConnectionLimit, t.Last)
_ENDED = (
    *(t.KeyType, t.KeyLike, t.Flags, t.Policy, t.Comment, t.HelperType, t.Hook, t.Devices),
    *_STATEFUL,
)


def check_separators(trial: Trial, command: t.Command, where: BlockContext) -> None:
    items = command.body or ()
    if not items or command.kind not in (*_SETS, *_OTHERS) or "{" not in _text(command, where):
        return
    for item, following in zip(items, (*items[1:], None), strict=True):
        after = following.start if following else command.end
        if isinstance(item, _STATEFUL) and isinstance(following, _STATEFUL):
            continue
        if _ends(command, item) and not _SEPARATOR.search(where.source.text, item.end, after):
            cause = "what follows needs a semicolon, or a line of its own"
            mend, insert = "write `;` after it", (item.end, ";")
            trial.refuse(checks.SEPARATOR, where, item, cause, mend, insert=insert)
            return


def _text(command: t.Command, where: BlockContext) -> str:
    return where.source.text[command.start : command.end]


def _ends(command: t.Command, item: t.Item) -> bool:
    if isinstance(item, t.Property):
        return command.kind in _SETS and item.name != "auto-merge"
    return isinstance(item, _ENDED)
