"""The commands that the shell has itself, and others of which it is known what they do."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import PurePosixPath

from iptlint.dialects.script import arithmetic
from iptlint.dialects.script.conditions import holds
from iptlint.dialects.script.files import read_beside
from iptlint.dialects.script.not_understood import NotUnderstood, Reason
from iptlint.dialects.script.printing import echo, expr, other, printf, seq
from iptlint.dialects.script.reading import getopts, mapfile, read
from iptlint.dialects.script.state import TEMPORARY, Flow, Result, Run
from iptlint.dialects.script.symbolic_text import is_known, mark, shown
from iptlint.dialects.script.tool_calls import Call
from iptlint.model.numbers import decimal

Builtin = Callable[[Run, Call], Result]


def status_of(answer: bool | None) -> int | None:
    return None if answer is None else 0 if answer else 1


# -- leaving -----------------------------------------------------------------------------------


def _status(run: Run, words: Sequence[str]) -> int | None:
    if len(words) < 2:
        return run.status
    number = decimal(words[1])
    return None if number is None else number & 0xFF


def _leave(flow: Flow) -> Builtin:
    return lambda run, call: Result(_status(run, call.words), flow)


def _loop(flow: Flow) -> Builtin:
    def leave(run: Run, call: Call) -> Result:
        count = call.words[1] if len(call.words) > 1 else "1"
        return Result(0, flow, decimal(count) or 1)

    return leave


# -- files ---------------------------------------------------------------------------------------


def _cat(run: Run, call: Call) -> Result:
    files = [word for word in call.words[1:] if word == "-" or not word.startswith("-")]
    if not files and run.stdin is not None:
        if run.stdout is not None:
            run.stdout.pass_on(run.stdin.parts, run.conditions())
        if run.stdin.is_known:
            run.stdin.rest()  # what has read it leaves nothing to others
        return Result()
    for file in files:
        parts = read_beside(run, file, call.span)
        if run.stdout is not None and parts is not None:
            run.stdout.pass_on(parts, run.conditions())
        elif parts is None:
            run.write(mark(f"$(cat {shown(file)})"), call.span)
    return Result(0 if files else None)


def _tee(run: Run, call: Call) -> Result:
    parts = () if run.stdin is None else run.stdin.parts
    for file in (word for word in call.words[1:] if is_known(word) and word[:1] != "-"):
        run.keep(file, parts, parts)
    if run.stdout is not None:
        run.stdout.pass_on(parts, run.conditions())
    return Result()


def _which(run: Run, call: Call) -> Result:
    """A tool that a firewall needs is taken to be there."""
    names = [word for word in call.words[1:] if not word.startswith("-")]
    name = names[-1] if names else ""
    if name in run.environment.functions:
        run.write("function\n" if "-t" in call.words else f"{name}\n", call.span)
        return Result()
    run.write(f"{name}\n", call.span)
    return Result(0 if _NEEDED.fullmatch(name.rsplit("/", 1)[-1]) else None)


_NEEDED = re.compile(
    r"ip6?tables\S*|nft|ipset|ip|modprobe|insmod|lsmod|sysctl|conntrack|tc|ifconfig|route|which|\0.*"
    r"|command|awk|sed|grep|cat|logger"
)

# -- variables ---------------------------------------------------------------------------------


def _shift(run: Run, call: Call) -> Result:
    count = call.words[1] if len(call.words) > 1 else "1"
    given, environment = decimal(count), run.environment
    if given is None:
        environment.arguments = environment.arguments[1:]
        return Result(None)
    if given > len(environment.arguments):
        return Result(1)
    environment.arguments = environment.arguments[given:]
    return Result()


def _set(run: Run, call: Call) -> Result:
    words = list(call.words[1:])
    while words and words[0][:1] in ("-", "+") and words[0] not in ("--", "-"):
        named = words[0].count("o")  # -euo pipefail: each o takes a word
        given = {*words[0][1:], *(_LETTERS.get(w, w) for w in words[1 : 1 + named])} - {"o"}
        switched = run.environment.settings
        run.environment.settings = switched | given if words[0][0] == "-" else switched - given
        del words[: 1 + named]
        if not words:
            return Result()
    if words[:1] == ["--"]:
        words.pop(0)
    run.environment.guessed = False
    run.environment.arguments = tuple(words)
    return Result()


_LETTERS = {"errexit": "e", "nounset": "u", "noglob": "f", "noexec": "n"}


def _let(run: Run, call: Call) -> Result:
    value: int | None = 0
    for text in call.words[1:]:
        value = arithmetic.calculated(text, run.environment)
    return Result(status_of(None if value is None else value != 0))


# -- the rest ----------------------------------------------------------------------------------


def _test(run: Run, call: Call) -> Result:
    words = call.words[1:]
    if call.words[0] == "[" and words[-1:] == ("]",):
        words = words[:-1]
    return Result(status_of(holds(words)))


def _trap(run: Run, call: Call) -> Result:
    """What is carried out for a signal is not, where none comes."""
    words = [word for word in call.words[1:] if word != "--"]
    command, signals = (words[0], words[1:]) if len(words) > 1 else ("-", words)
    names = {_ENDING.get(s, s.upper().removeprefix("SIG")) for s in signals}
    for name in names & {"EXIT", "ERR"}:
        run.environment.traps.pop(name, None)
        if command not in ("-", ""):
            run.environment.traps[name] = (command, call.span)
    return Result()


def _shopt(run: Run, call: Call) -> Result:
    run.environment.settings |= {*call.words[2:]} if call.words[1:2] == ("-s",) else set()
    run.environment.settings -= {*call.words[2:]} if call.words[1:2] == ("-u",) else set()
    return Result()


def _alias(run: Run, call: Call) -> Result:
    for word in call.words[1:]:
        name, given, text = word.partition("=")
        if given and re.fullmatch(r"[\w ./-]+", text):
            run.environment.aliases[name] = tuple(text.split())
    return Result()


_ENDING = {"0": "EXIT"}


def _temporary(run: Run, call: Call) -> Result:
    """An empty file of its own, whose name nobody needs to know."""
    run.effects += 1
    name = f"{TEMPORARY}{run.effects}"
    run.keep(name, (), ())
    run.write(f"{name}\n", call.span)
    return Result()


def _identity(run: Run, call: Call) -> Result:
    """The script is root's."""
    words = call.words
    name = words[0].rsplit("/", 1)[-1]
    if name == "id" and words[1:2] != ("-u",):
        return other(run, call)
    run.write(
        "root\n" if name == "whoami" or "-n" in words[1:] or "-un" in words else "0\n", call.span
    )
    return Result()


def _path(run: Run, call: Call) -> Result:
    name, *given = (word for word in call.words if word != "--")
    path = given[0] if given else ""
    if not is_known(path):
        return other(run, call)
    head, _, tail = path.rstrip("/").rpartition("/")
    name = name.rsplit("/", 1)[-1]
    if name == "basename" and len(given) > 1:
        tail = tail.removesuffix(given[1])
    run.write(f"{(head or '.') if name == 'dirname' else tail}\n", call.span)
    return Result()


def _cd(run: Run, call: Call) -> Result:
    """Where that leads, as far as a script asks for its own folder or names one in full."""
    *_, folder = ("", *(word for word in call.words[1:] if word[:1] != "-"))
    own = str(PurePosixPath(run.environment.name).parent)
    if is_known(folder) and (folder.startswith("/") or str(PurePosixPath(folder or "?")) == own):
        run.environment.variables["PWD"] = folder
    else:
        run.environment.variables.pop("PWD", None)
    run.effects += 1
    return Result()


def _pwd(run: Run, call: Call) -> Result:
    folder = run.environment.text("PWD")
    run.write(f"{folder or mark('$(pwd)')}\n", call.span)
    return Result()


def _real_path(run: Run, call: Call) -> Result:
    """Of the script itself; what else may be a link is not known."""
    if call.words[-1] != run.environment.name:
        return other(run, call)
    run.write(f"{run.environment.name}\n", call.span)
    return Result()


def _works(run: Run, call: Call) -> Result:
    """What sets up the host is taken to succeed."""
    run.effects += 1
    run.write(mark(f"$({shown(' '.join(call.words))})"), call.span)
    return Result()


BUILTINS: dict[str, Builtin] = {
    ":": lambda run, call: Result(0),
    "true": lambda run, call: Result(0),
    "false": lambda run, call: Result(1),
    "exit": _leave(Flow.EXIT),
    "return": _leave(Flow.RETURN),
    "break": _loop(Flow.BREAK),
    "continue": _loop(Flow.CONTINUE),
    "echo": echo,
    "printf": printf,
    "cat": _cat,
    "tee": _tee,
    "which": _which,
    "type": _which,
    "hash": _which,
    "shift": _shift,
    "set": _set,
    "read": read,
    "mapfile": mapfile,
    "readarray": mapfile,
    "seq": seq,
    "expr": expr,
    "let": _let,
    "test": _test,
    "[": _test,
    "trap": _trap,
    "shopt": _shopt,
    "alias": _alias,
    "id": _identity,
    "mktemp": _temporary,
    "whoami": _identity,
    "dirname": _path,
    "basename": _path,
    "cd": _cd,
    "pwd": _pwd,
    "readlink": _real_path,
    "realpath": _real_path,
    "getopts": getopts,
    **dict.fromkeys(
        (
            *("modprobe", "insmod", "depmod", "sysctl", "mkdir", "rm", "cp", "mv", "touch"),
            *("chmod", "chown", "sleep", "logger", "date", "ulimit", "umask", "wait"),
            *("unalias", "clear", "sync", "pushd", "popd", "tput"),
        ),
        _works,
    ),
}


_OF_ANOTHER_FILE = re.compile(
    r"(?!firewalld)\w*(?:iptables|nftables|firewall)\w*"
    r"|(?!/(?:usr/)?s?bin/).*/[^/]*(?:tables|firewall|\bfw|ipset|\bnat)[^/]*"
    r"|[^/]*(?:tables|firewall|\bfw|ipset|\bnat)[^/]*\.sh"
    r"|.*/[^/]*\.sh",
    re.IGNORECASE,
)
"""What is called so and is no program is a function of another file, of which this is a part, or a
script, perhaps for the same firewall."""
_PATH_MAX = 4096  # linux/limits.h


def outside(run: Run, call: Call, *, is_script: bool = False) -> Result:
    """Any other program: it may print anything, and succeed or not. ``is_script``: a shell is given
    it, which may do with the firewall whatever this script does."""
    run.effects += 1
    if is_script or _OF_ANOTHER_FILE.fullmatch(call.words[0][:_PATH_MAX]):
        run.absent.append(NotUnderstood(Reason.FILE, call.span, f"`{call.words[0]}`"))
    return other(run, call)


ASKS_SOMEBODY = re.compile(r"^[^#\n]*\b(?:read|select|dialog|whiptail)\b", re.MULTILINE)
"""As menus do."""
