"""The tools that change a firewall, as a script calls them."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from iptlint.dialects.diagnostics import Diagnostic
from iptlint.dialects.script import restore
from iptlint.dialects.script.empty_values import Emptied, filled_text
from iptlint.dialects.script.environment import tool_called
from iptlint.dialects.script.failures import tell
from iptlint.dialects.script.generated_text import Condition, TextPart, together
from iptlint.dialects.script.ipset_command import ipset
from iptlint.dialects.script.iptables_command import CommandResult, run_command
from iptlint.dialects.script.iptables_execution import IptablesCall
from iptlint.dialects.script.never_set import without_unset
from iptlint.dialects.script.nft_command import NftPiece
from iptlint.dialects.script.not_understood import Reason
from iptlint.dialects.script.state import Result, Run
from iptlint.dialects.script.symbolic_text import WHOLE, mark, names, shown
from iptlint.dialects.script.tables import SpanOrigin, emptied
from iptlint.dialects.script.tool_calls import Call, add, text_for
from iptlint.dialects.script.truths import doubt
from iptlint.model import Family
from iptlint.model.script import Kind
from iptlint.source import Span

Tool = Callable[[Run, Call], Result]

_NAME = re.compile(r"(?P<name>ip6?tables)(?:-legacy|-nft)?(?P<what>-restore|-save)?")
_MULTI = re.compile(r"xtables-(?:nft-|legacy-)?multi")
_SERVICE = re.compile(r".*/(?:init|rc)\.d/[^/]+")
"""What starts and stops a service; that of the firewall is often named as the tool is."""
_BOTH = (Family.IP, Family.IP6)
_TOLD = frozenset({"start", "stop", "restart", "reload", "status", "save", "condrestart"})
_RULE_WORD = re.compile(r"-[AIDPNFXRtZE]|--(?:append|insert|delete|policy|new-chain|flush|table)")
_RELOADS = re.compile(r"(?:force-|try-|cond)?re(?:load|start)|reload-or-restart")
_SAVERS = re.compile(r"(?:netfilter|iptables|ip6tables|ipset)(?:-persistent)?|ip6?tables\.init")


def tool_of(call: Call) -> tuple[Tool, Call] | None:
    """The tool, and its call without what was before its own words."""
    name = _called(call)
    if _is_service(call.words):
        return _saving(name, call)
    if _MULTI.fullmatch(name) and len(call.words) > 1:
        return tool_of(call.without(1))
    match = _NAME.fullmatch(name)
    if match is not None:
        six = match["name"] == "ip6tables"
        return _TOOLS[six, match["what"] or ""], call.without(1)
    if name in _NAMED:
        return _NAMED[name], call.without(1)
    if WHOLE.search(call.words[0]) and len(call.words) > 1 and _RULE_WORD.match(call.words[1]):
        return _maybe_iptables, call.without(1)
    return _saving(name, call)


def _is_service(words: Sequence[str]) -> bool:
    """By its place, or by what it is told: a tool has no such command."""
    elsewhere = "/" in words[0] and words[1:2] and words[1] in _TOLD
    return bool(elsewhere) or _SERVICE.fullmatch(words[0]) is not None


def is_tool(word: str) -> bool:
    name = word.rsplit("/", 1)[-1]
    if _SERVICE.fullmatch(word):
        return False
    return name in _NAMED or _NAME.fullmatch(name) is not None


def _called(call: Call) -> str:
    """The name without its directory; a variable that is not set is called for what it holds."""
    word = call.words[0]
    for name in names(word):
        word = word.replace(f"\0{name}\0", tool_called(name.strip("${}")) or "\0?\0", 1)
    return word.rsplit("/", 1)[-1]


def _saving(name: str, call: Call) -> tuple[Tool, Call] | None:
    """What writes the rules to where the next boot finds them, or loads them from there."""
    words = call.words
    if name == "systemctl" and len(words) == 3:
        name, words = words[2].removesuffix(".service"), words[:2]
    if name in ("service", "rc-service") and len(words) > 2:
        name, words = words[1], words[1:]
    if len(words) < 2 or not _SAVERS.fullmatch(name):
        return None
    families = tuple(family for family in _BOTH if _serves(name, family))
    if words[1] in ("save", "saveactive"):
        return _save(families), call
    if words[1] in ("start", "stop", "status"):  # around the commands, which make the rules
        return lambda _run, _call: Result(None), call
    return (_reload(families), call) if _RELOADS.fullmatch(words[1]) else None


def _serves(service: str, family: Family) -> bool:
    six = service.startswith("ip6tables")
    both = service.startswith("netfilter") or service.endswith("-persistent")
    return both or six is (family is Family.IP6)


# -- iptables --------------------------------------------------------------------------------


def _iptables(family: Family) -> Tool:
    def tool(run: Run, call: Call) -> Result:
        again = bool(run.occasions or run.rounds)
        command = IptablesCall(
            call.words, call.spans, call.span, run.conditions(), None, run.occasions, again
        )
        settled = without_unset(run, family, command)
        if isinstance(settled, Diagnostic):
            run.diagnostics.append(settled)
            add(run, call, Kind.CHANGE, failed=True)
            return Result(1, sure=False)
        result = run_command(run.tool(family), settled)
        if call.lacking and _is_not_read(result):
            needed = call.lacking.needed(partial(_is_read, run, family))
            told = needed.told(result.diagnostics) if needed else result.diagnostics
            result = replace(result, diagnostics=tuple(told))
        return _finish(run, call, result)

    return tool


def _is_not_read(result: CommandResult) -> bool:
    return any(diagnostic.code == "IPT001" for diagnostic in result.diagnostics)


def _is_read(run: Run, family: Family, lacking: Emptied) -> bool:
    """Whether the tool takes the command where its variables have values."""
    readings = (
        run_command(run.tool(family), IptablesCall(words, lacking.spans, lacking.command))
        for words in lacking.with_values()
    )
    return not all(map(_is_not_read, readings))


def _finish(run: Run, call: Call, result: CommandResult) -> Result:
    run.diagnostics += result.diagnostics
    tell(run, call.span, result.why)
    # Whatever a listing lists, it changes nothing.
    reasons = [] if result.looks else [(Reason.VALUE, name) for name in result.unknown[:1]]
    if _is_not_read(result):
        reasons.append((Reason.REFUSED, shown(" ".join(call.words))[:40]))
    kind = Kind.LOOK if result.looks else Kind.CHANGE
    add(run, call, kind, reasons, failed=result.failed, changes=result.changes)
    if result.looks and not result.failed and run.stdout is not None:
        run.write(f"\0$(iptables {shown(' '.join(call.words))})\0\n", call.span)
    return Result(result.status if result.failed else 0, sure=result.sure)


def _maybe_iptables(run: Run, call: Call) -> Result:
    """A command that is not known, called as if it were iptables."""
    before, maybe = run.guards, "the command is iptables"
    run.guards = (*before, Condition(maybe, call.span, doubt(maybe)))
    try:
        return _iptables(Family.IP)(run, call)
    finally:
        run.guards = before


# -- iptables-restore ------------------------------------------------------------------------


def _restore(family: Family) -> Tool:
    def tool(run: Run, call: Call) -> Result:
        options = restore.options(call.words)
        if options.test_only:
            add(run, call, Kind.LOOK)
            return Result()
        parts = text_for(run, call, options.file)
        if parts is None:
            missing = [(Reason.FILE, shown(options.file or "standard input"))]
            changes = restore.unknown(run.tables, family, call.span)
            add(run, call, Kind.CHANGE, missing, changes=changes)
            return Result()
        then = run.saved.get("".join(part.text for part in parts).strip())
        if then is not None and not options.keep and not run.conditions():
            add(run, call, Kind.CHANGE, changes=restore.as_it_was(then, family))
            return Result()
        tool = run.tool(family)
        loaded = restore.load(tool, parts, call.span, run.conditions(), keep=options.keep)
        run.diagnostics += loaded.diagnostics
        reasons = [(Reason.VALUE, name) for name in loaded.unknown[:1]]
        add(run, call, Kind.CHANGE, reasons, changes=loaded.changes)
        return Result()

    return tool


def _look(run: Run, call: Call, saved: Sequence[Family] = ()) -> None:
    """``saved``: the families whose rules are written to where the next boot finds them."""
    add(run, call, Kind.SAVE if saved else Kind.LOOK, saves=frozenset(saved))


def _save(families: Sequence[Family]) -> Tool:
    def tool(run: Run, call: Call) -> Result:
        saves = call.written or {"save", "saveactive", "-f", "--file"} & {*call.words}
        kind = Kind.SAVE if saves else Kind.LOOK if run.stdout is not None else Kind.PRINT
        add(run, call, kind, saves=frozenset(families if saves else ()))
        text = mark(f"$(iptables-save {len(run.saved) + 1})" if run.saved else "$(iptables-save)")
        run.saved[text] = run.tables.copy()
        run.write(f"{text}\n", call.span)
        return Result()

    return tool


def _reload(families: Sequence[Family]) -> Tool:
    """The service has the saved rules loaded, if there is one."""

    def tool(run: Run, call: Call) -> Result:
        doing = (s.kind for s in reversed(run.steps) if s.kind in (Kind.CHANGE, Kind.SAVE))
        if next(doing, None) is not Kind.CHANGE:
            return Result()  # there is nothing to lose, or it is saved
        changed = [family for family in families if any(k[0] is family for k in run.tables.chains)]
        changes = [c for f in changed for c in restore.unknown(run.tables, f, call.span)]
        missing = [(Reason.FILE, shown(" ".join(call.words)))]
        add(run, call, Kind.CHANGE, missing, changes=tuple(changes), reloads=True)
        return Result()

    return tool


# -- nft -------------------------------------------------------------------------------------


def _nft(run: Run, call: Call) -> Result:
    words, spans = list(call.words), list(call.spans)
    file: str | None = None
    check = False
    while words and words[0].startswith("-") and words[0] != "-":
        option = words.pop(0)
        spans.pop(0)
        check |= option in ("-c", "--check")
        if option in ("-f", "--file", "-I", "--includepath", "-D", "--define") and words:
            value = words.pop(0)
            spans.pop(0)
            file = value if option in ("-f", "--file") else file
        elif option.startswith("--file="):
            file = option.partition("=")[2]
    if file is None and words and words[0] in ("list", "monitor", "describe"):
        _look(run, call, _BOTH if call.written and "ruleset" in words else ())
        run.write("\0$(nft list)\0\n", call.span)
        return Result(None if words[:1] == ["list"] and words[1:2] != ["ruleset"] else 0)
    parts = _words_of(words, spans)
    if file is not None:
        text = text_for(run, call, None if file in ("-", "/dev/stdin") else file)
        if text is None:
            add(run, call, Kind.CHANGE, [(Reason.FILE, shown(file))])
            return Result()
        parts = text
    if check or not parts:
        _look(run, call)
        return Result()
    filled = filled_text(parts)
    lacking = call.lacking.since(spans[0].start) if call.lacking and file is None else None
    if lacking:
        parts = (*(TextPart("", span) for span in lacking.empty), *parts)
        filled = " ".join(lacking.words)
    piece = NftPiece(parts, run.conditions(), filled)
    unknown = [(Reason.VALUE, f"{name}") for name in (*names(piece.text),)[:1]]
    truth, origin = together(piece.conditions), SpanOrigin(call.span)
    changes = tuple(emptied(run.tables, origin, truth)) if piece.flushes else ()
    add(run, call, Kind.CHANGE, unknown, nft=piece, changes=changes)
    return Result(None if words[:1] in (["delete"], ["create"]) else 0)  # they may lack a name


def _words_of(words: Sequence[str], spans: Sequence[Span]) -> tuple[TextPart, ...]:
    parts: list[TextPart] = []
    for word, span in zip(words, spans, strict=True):
        if parts:
            parts.append(TextPart(" ", span))
        inside = Span(span.source, span.start + 1, span.end - 1)
        exact = span.text == word
        quoted_exactly = not exact and inside.end > inside.start and inside.text == word
        place = inside if quoted_exactly else span
        parts.append(TextPart(word, place, exact or quoted_exactly))
    return tuple(parts)


_TOOLS: dict[tuple[bool, str], Tool] = {
    (six, what): make(Family.IP6 if six else Family.IP)
    for six in (False, True)
    for what, make in (
        ("", _iptables),
        ("-restore", _restore),
        ("-save", lambda family: _save((family,))),
    )
}
_NAMED: dict[str, Tool] = {"nft": _nft, "ipset": ipset}
