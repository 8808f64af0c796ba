"""What stands between the properties in a block: most end with a line or a semicolon."""

from __future__ import annotations

import re

from iptlint.dialects.nft import tree as t
from iptlint.dialects.nft.execution.state import BlockContext
from iptlint.dialects.nft.nodes import Node
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
    if command.kind == "synproxy":
        block = "{" in _text(command, where)
        (_check_block if block else _check_synproxy)(trial, command, where)
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


_SYNPROXY = re.compile(r"\bmss\s+[0-9]+\s*?[;\n]")
_OPTIONS = re.compile(r"timestamp|sack-perm")
_FOLLOWING = re.compile(r"(?:\s|#[^\n]*\n)*(\S+)")
_ENDED_TWICE = re.compile(r"[ \t]*(?:;|(?:#[^\n]*)?\n)(?:[ \t]*#[^\n]*\n)*\s*(?:[;\n]|\Z)")


def _check_synproxy(trial: Trial, command: t.Command, where: BlockContext) -> None:
    """Where a separator stands behind mss, one belongs to wscale, too, and the command needs its
    own."""
    text = where.source.text
    if not _SYNPROXY.search(text, command.start, command.end) or _ENDED_TWICE.match(
        text, command.end
    ):
        return
    following = _FOLLOWING.match(text, command.end)
    if following is not None and not _OPTIONS.search(text, command.start, command.end):
        cause = "the command before has no end: the separator behind wscale is a part of it"
        mend = "write no separator behind mss, or `;` behind the command"
        node = Node(start=following.start(1), end=following.end(1))
        trial.refuse(checks.SEPARATOR, where, node, cause, mend)


_NUMBER, _PAUSE = "[0-9a-fA-Fx]+", r"(?:[ \t]*(?:;|(?:#[^\n]*)?\n))+[ \t]*"
_CONFIGURED = re.compile(
    rf"(?:mss[ \t]+{_NUMBER}"
    rf"(?:[ \t]+wscale[ \t]+{_NUMBER}|{_PAUSE}wscale[ \t]+{_NUMBER}{_PAUSE})"
    r"(?:[ \t]*timestamp\b)?(?:[ \t]*sack-perm(?:itted)?\b)?"
    r'|comment\s+(?:"[^"]*"|[^\s;}]+)|#[^\n]*|[;\s])*'
)
_PART = re.compile(r"mss|wscale|timestamp|sack-perm(?:itted)?")


def _check_block(trial: Trial, command: t.Command, where: BlockContext) -> None:
    """src/parser_bison.y, synproxy_config: a fixed order, and separators behind both numbers or
    behind none."""
    text = where.source.text
    begin, end = text.index("{", command.start) + 1, command.end - 1
    rest = _CONFIGURED.match(text, begin, end)
    part = _PART.match(text, rest.end() if rest else begin, end)
    if part is not None:
        cause = (
            "nft reads mss, wscale, timestamp and sack-perm in this order, the flags in one line"
        )
        mend = "end mss and wscale with `;` each, or write all in one line"
        node = Node(start=part.start(), end=part.end())
        trial.refuse(checks.SEPARATOR, where, node, cause, mend)


def _text(command: t.Command, where: BlockContext) -> str:
    return where.source.text[command.start : command.end]


def _ends(command: t.Command, item: t.Item) -> bool:
    if isinstance(item, t.Property):
        return command.kind in _SETS and item.name != "auto-merge"
    return isinstance(item, _ENDED)
