"""A command of ipset, as a script calls it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from iptlint.dialects.script.failures import refused, surprises, tell
from iptlint.dialects.script.generated_text import TextPart, quoted
from iptlint.dialects.script.ipsets import SetCommand
from iptlint.dialects.script.not_understood import Reason
from iptlint.dialects.script.state import Result, Run
from iptlint.dialects.script.symbolic_text import is_known, mark, names, shown
from iptlint.dialects.script.tool_calls import Call, add, text_for
from iptlint.model.script import Kind

_SET_OPTIONS = re.compile(r"--?(?:exist|!|q|quiet|sorted|s|o|output|t|terse)")
_CREATES = ("create", "n", "-N", "--create")
_RENAMES = ("rename", "e", "-E", "--rename")
_ADDS = ("add", "a", "-A", "--add")
_NEEDS = (*_ADDS, "del", "d", "-D", "--del", "flush", "f", "-F", "--flush", *_RENAMES)
_DESTROYS = ("destroy", "x", "-X", "--destroy")
_ASKS = re.compile(r"(?:--)?(?:list|save|test|version|help)|-[LSTvVhH]")


def ipset(run: Run, call: Call) -> Result:
    words = [word for word in call.words if not _SET_OPTIONS.fullmatch(word)]
    exist = any(word in ("-exist", "--exist", "-!") for word in call.words)
    if not words:
        return Result()
    if words[0] in ("restore", "-R", "--restore"):
        return _ipset_restore(run, call, words)
    if _ASKS.fullmatch(words[0]):
        return _ipset_asks(run, call, words)
    name = words[1] if len(words) > 1 else None
    failed = False
    if words[0] in _CREATES and name is not None:
        failed = name in run.sets and not exist
        if not failed and not run.conditions():
            run.gone_sets.pop(name, None)
        run.make_sets((name,))
    elif name is not None and _lacks(run, call, words[0], name):
        failed = True
    if words[0] in _DESTROYS:
        run.sets.discard(name or "")
        if name in run.made_sets and not run.conditions():
            run.gone_sets[name] = call.span
    if words[0] in _RENAMES and len(words) > 2:
        run.sets.discard(words[1])
        run.make_sets((words[2],))
    commands = () if failed else (_set_command(run, call, words),)
    add(run, call, Kind.CHANGE, failed=failed, sets=commands)
    return Result(1 if failed else 0)


def _lacks(run: Run, call: Call, word: str, name: str) -> bool:
    """Whether the set is not there, as the script itself has taken it away. One that it makes only
    further down is told where it does."""
    if word not in _NEEDS or name in run.sets or not is_known(name):
        return False
    if name in run.gone_sets:
        line = run.gone_sets[name].line
        why = f"there is no set {name} any more: line {line} takes it away, and this command fails"
        tell(run, call.span, (why, f"make it again before: ipset create {name} …"))
        return True
    if word in _ADDS and surprises(run):
        run.early_sets.setdefault(name, call.span)
    return False


def tell_early_sets(run: Run) -> None:
    """Those that get elements before the script makes them: when it runs first, they are not
    there."""
    for name, span in run.early_sets.items():
        if name in run.made_sets and all(map(is_known, run.made_sets)):
            why = f"set {name} is made only further down: unless it is there already, this fails"
            run.diagnostics.append(refused(span, why, "make it before this line"))


def _set_command(run: Run, call: Call, words: Sequence[str]) -> SetCommand:
    """A line for `ipset restore`; what is not sure is left out, and its sets are doubted."""
    name = words[1] if len(words) > 1 and is_known(words[1]) else None
    doubtful = bool(run.conditions()) or not all(map(is_known, words))
    line = " ".join(map(quoted, words))
    creates = words[0] in _CREATES and all(map(is_known, words))
    parts = (TextPart(line, call.span),) if creates or not doubtful else ()
    doubted = None if name is None else (name,)
    return SetCommand(parts, doubted if doubtful else ())


def _ipset_asks(run: Run, call: Call, words: Sequence[str]) -> Result:
    add(
        run, call, Kind.SAVE if words[0] in ("save", "-S", "--save") and call.written else Kind.LOOK
    )
    run.write("\0$(ipset list)\0\n", call.span)
    if words[0] in ("test", "-T"):
        return Result(None)
    name = next((word for word in words[1:] if not word.startswith("-")), None)
    return Result(0 if name is None or name in run.sets else 1)


def _ipset_restore(run: Run, call: Call, words: Sequence[str]) -> Result:
    file = words[words.index("-file") + 1] if "-file" in words[:-1] else None
    parts = text_for(run, call, file)
    if parts is None:
        run.make_sets((mark(file or "standard input"),))
        reasons = [(Reason.FILE, shown(file or "standard input"))]
        add(run, call, Kind.CHANGE, reasons, sets=(SetCommand((), None),))
        return Result()
    text = "".join(part.text for part in parts)
    unknown = [(Reason.VALUE, name) for name in (*names(text),)[:1]]
    doubtful = bool(unknown or run.conditions())
    run.make_sets(re.findall(r"^\s*(?:create|-N|n)\s+(\S+)", text, re.MULTILINE))
    run.made_sets.update(map(mark, names(text)))
    doubtful |= any(part.conditions for part in parts)
    known = tuple(part for part in parts if is_known(part.text) and not part.conditions)
    command = SetCommand(known, None if doubtful else ())
    add(run, call, Kind.CHANGE, unknown, sets=(command,))
    return Result()
