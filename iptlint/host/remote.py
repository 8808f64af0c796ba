"""Gathers what another host has, by way of ssh: one script, the same for every host, that only
reads.

It is made of this package's own tables and goes to ``sh`` on its standard input. What the host
says comes back in base64, so that nothing in it can pass for something else.
"""

from __future__ import annotations

import re
import subprocess
import tempfile
from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Iterator
from shlex import quote

from iptlint.dialects.decode import MAX_BYTES
from iptlint.host import commands
from iptlint.host.collect import TELLING, complaints
from iptlint.host.gathered import CommandOutput, Gathered
from iptlint.host.places import LIMIT, PLACES, RULE_FILES, RUNS, WORDS, Keep, is_followed
from iptlint.model.host import Unread
from iptlint.model.numbers import decimal

SECONDS = 180
MOST = 512 * 2**20
_DESTINATION = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@:\[\]%-]*")

_FUNCTIONS = r"""
e() { printf %s "$1" | base64 | tr -d '\n'; }
b() { head -c "$1" | base64; }
run() {
  n=$1; shift
  command -v "$1" >/dev/null 2>&1 || return 0
  printf '@run %s\n' "$n"
  { c=$({ { timeout "$S" "$@" </dev/null; echo "status $?" >&2; } | b "$M" >&3; } 2>&1); } 3>&1
  printf '@said\n'; printf '%s\n' "$c" | tail -n 2 | head -c 500 | base64
}
shut() { printf '@shut %s\n' "$(e "$1")"; }
whole() {
  [ -f "$1" ] || return 0
  [ -r "$1" ] || { shut "$1"; return 0; }
  printf '@file %s\n' "$(e "$1")"; b "$2" <"$1"
}
lines() {
  [ -f "$1" ] || return 0
  [ -r "$1" ] || { shut "$1"; return 0; }
  printf '@file %s\n' "$(e "$1")"; grep -aE -e "$2" -- "$1" | b "$L"
}
link() { [ -L "$1" ] && printf '@link %s %s\n' "$(e "$1")" "$(e "$(readlink "$1")")"; :; }
named() {
  tr -c 'A-Za-z0-9_./@:+-' '\n' |
    grep '^/' | grep -vE '^/(dev|proc|sys|run|nix)/|^/(usr/)?(s?bin|lib|lib64|libexec)/' |
    grep -vE '\.\.|//' |
    sort -u | head -n 200 | while IFS= read -r p; do
      [ -f "$p" ] || continue
      [ -r "$p" ] || { shut "$p"; continue; }
      if grep -qE '^(\*[a-z]+[[:space:]]*$|-A |[[:space:]]*(add )?table |create )' "$p"
      then whole "$p" "$L"
      elif grep -qIE -e "$W" -- "$p"; then lines "$p" "$W"; fi
    done
}
"""


def script() -> str:
    """Constant: nothing in it comes from a host or from a command line."""
    return "\n".join(_script()) + "\n"


def _script() -> Iterator[str]:
    yield f"PATH={quote(commands.PATH)}; LC_ALL=C; export PATH LC_ALL"
    yield f"S={commands.SECONDS}; M={commands.MAX_BYTES}; L={LIMIT}"
    yield f"W={quote(WORDS)}; R={quote(RUNS)}"
    yield _FUNCTIONS
    yield "printf '@iptlint\\n'"
    for command in commands.COMMANDS:
        yield " ".join(("run", quote(command.name), *map(quote, command.argv)))
    for place in PLACES:
        most = MAX_BYTES if place.pattern in RULE_FILES else LIMIT
        # A pattern is left for the remote shell to spread out: it has no other special characters.
        runs = '[ -x "$f" ] && ' if place.runs else ""
        yield f"for f in {_checked(place.pattern)}; do {runs}{_DOES[place.keep].format(most)}; done"
    hooks = [p for p in PLACES if p.keep in (Keep.MENTIONS, Keep.COMMANDS)]
    followed = (_checked(p.pattern) for p in hooks if is_followed(p))
    others = (_checked(p.pattern) for p in hooks if not is_followed(p))
    yield "{ " + f"cat {' '.join(followed)} 2>/dev/null"
    yield f'cat {" ".join(others)} 2>/dev/null | grep -aE -e "$W" -e "$R"; }} | named'
    yield "printf '@end\\n'"


_DOES = {
    Keep.WHOLE: 'whole "$f" {}',
    Keep.MENTIONS: 'lines "$f" "$W"',
    Keep.COMMANDS: 'lines "$f" "$R"',
    Keep.LINK: 'link "$f"',
}


def _checked(pattern: str) -> str:
    assert re.fullmatch(r"[A-Za-z0-9_./*-]+", pattern), pattern
    return pattern


class RemoteError(Exception):
    """The host could not be asked; the text is a sentence for the user."""


def argv(destination: str, port: int | None = None) -> list[str]:
    """The one command that is run here; RemoteError for what is no name of a host."""
    if not _DESTINATION.fullmatch(destination):
        raise RemoteError(f"{destination!r} is no name of a host, such as root@host")
    at = [] if port is None else ["-p", str(port)]
    return ["ssh", "-T", "-o", "BatchMode=yes", *at, "--", destination, "exec sh -s"]


def gather_remote(destination: str, port: int | None = None) -> Gathered:
    """By way of ssh, as the user has it set up; RemoteError where the host does not answer."""
    command = argv(destination, port)
    with tempfile.TemporaryFile() as complaints_, tempfile.TemporaryFile() as asked:
        asked.write(script().encode())
        asked.seek(0)
        try:
            process = subprocess.Popen(
                command,
                stdin=asked,
                stdout=subprocess.PIPE,
                stderr=complaints_,
                start_new_session=True,
            )
        except OSError as error:
            raise RemoteError(f"ssh cannot be run: {error.strerror}") from None
        data, ended = commands.read_limited(process, SECONDS, MOST)
        complaints_.seek(0)
        said = complaints_.read(2000).decode("utf-8", "replace").strip().splitlines()
    if not ended:
        raise RemoteError(f"{destination} did not answer within {SECONDS} s")
    if b"@end" not in data.splitlines()[-1:]:
        raise RemoteError(f"{destination}: {said[-1] if said else 'the answer is cut short'}")
    return answered(destination, data)


def answered(destination: str, data: bytes) -> Gathered:
    """What the script printed; what a login prints before it is left out."""
    outputs: dict[str, CommandOutput] = {}
    files: dict[str, bytes] = {}
    links: dict[str, str] = {}
    shut: list[Unread] = []
    name = ""
    for head, body in _parts(data):
        match head:
            case ["run", name]:
                outputs[name] = CommandOutput(body, 0)
            case ["said"] if name in outputs:
                outputs[name] = _ended(outputs[name].data, body.decode("utf-8", "replace"))
            case ["file", path]:
                if body or _word(path).startswith(TELLING):
                    files[_word(path)] = body
            case ["link", path, target]:
                links[_word(path)] = _word(target)
            case ["shut", path]:
                shut.append(Unread(_word(path), "Permission denied"))
            case _:
                pass
    unread = (*complaints(outputs), *dict.fromkeys(shut))
    return Gathered(destination, True, outputs, files, links, unread)


def _parts(data: bytes) -> Iterator[tuple[list[str], bytes]]:
    """Each head and what stands below it, decoded."""
    lines = data.split(b"\n")
    start = next((n for n, line in enumerate(lines) if line == b"@iptlint"), len(lines))
    head: list[str] = []
    body: list[bytes] = []
    for line in lines[start + 1 :]:
        if line.startswith(b"@"):
            yield head, _decoded(b"".join(body))
            head, body = line[1:].decode("ascii", "replace").split(" "), []
        else:
            body.append(line)


def _ended(data: bytes, said: str) -> CommandOutput:
    *complaint, status = said.strip().splitlines() or [""]
    number = status.removeprefix("status ")
    if any(words in line for words in commands.NOT_IN_KERNEL for line in complaint):
        return CommandOutput(b"", 0)
    code = decimal(number)
    return CommandOutput(data, None if code == 124 else code, "\n".join(complaint))


def _word(text: str) -> str:
    return _decoded(text.encode()).decode("utf-8", "replace")


def _decoded(text: bytes) -> bytes:
    try:
        return b64decode(text, validate=True)
    except NotBase64:
        return b""
