"""Random scripts that nest what people write around commands of iptables; everything is known."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random

_CHAINS = ("INPUT", "FORWARD", "OUTPUT", "web", "lan")
_TARGETS = ("ACCEPT", "DROP", "RETURN", "web", "lan", "missing")
_TESTS = ("-p tcp --dport {}", "-p udp --dport {}", "-s 10.0.0.{}", "! -d 10.0.1.{}", "-i eth{}")
_DEEPEST = 3
Lines = Iterator[str]


def written(seed: int) -> str:
    return "\n".join(_Writer(seed).script()) + "\n"


class _Writer:
    """``numbers``: what a rule may name here: literals, and variables that hold one."""

    def __init__(self, seed: int) -> None:
        self.random = Random(f"script {seed}")
        self.numbers: list[str] = ["1", "2", "22"]
        self.made = 0
        self.functions: list[str] = []

    def script(self) -> Lines:
        yield "#!/bin/bash"
        if self.random.random() < 0.3:
            yield "set -e"
        yield "IPT=iptables"
        yield "n=1"
        self.numbers.append("$n")
        yield "iptables -N web || true"
        for _ in range(self.random.randint(6, 12)):
            yield from self.statement(0)

    def statement(self, depth: int) -> Lines:
        plain = depth >= _DEEPEST or self.random.random() < 0.45
        if plain:
            yield self.command()
        else:
            block = self.random.choice(BLOCKS)
            yield from block(self, depth)

    def block(self, depth: int, *numbers: str) -> Lines:
        """Some statements, which may use these variables too."""
        before, functions = list(self.numbers), list(self.functions)
        self.numbers += numbers * 3
        for _ in range(self.random.randint(1, 2)):
            yield from self.statement(depth + 1)
        self.numbers, self.functions = before, functions

    # -- commands --------------------------------------------------------------------------------

    def name(self) -> str:
        self.made += 1
        return f"v{self.made}"

    def number(self) -> str:
        return self.random.choice(self.numbers)

    def rule(self, chain: str | None = None) -> str:
        test = self.random.choice(_TESTS).format(self.number())
        return f"{chain or self.random.choice(_CHAINS)} {test} -j {self.random.choice(_TARGETS)}"

    def command(self) -> str:
        tool = self.random.choice(
            ("iptables", "$IPT", "$IPT -w", "command iptables", "sudo iptables")
        )
        chain = self.random.choice(_CHAINS)
        form = self.random.choice(
            (
                *(f"-A {self.rule()}",) * 5,
                f"-I {self.rule()}",
                f"-D {self.rule()}",
                f"-I {chain} {self.random.randint(1, 3)} -p icmp -j ACCEPT",
                f"-D {chain} {self.random.randint(1, 3)}",
                f"-N {self.random.choice(('lan', 'web', 'x$n'))}",
                f"-F {chain}",
                f"-X {self.random.choice(('lan', 'web'))}",
                f"-P {self.random.choice(_CHAINS[:3])} {self.random.choice(_TARGETS[:2])}",
            )
        )
        behind = self.random.choice(
            ("", "", " || true", " && n=$((n + 1))", " || n=3", " 2>/dev/null")
        )
        return f"{tool} {form}{behind}"

    def words(self) -> str:
        return " ".join(str(self.random.randint(1, 90)) for _ in range(self.random.randint(1, 3)))


# -- what is nested ------------------------------------------------------------------------------


def _for(writer: _Writer, depth: int) -> Lines:
    name = writer.name()
    array = writer.name()
    forms = (
        writer.words(),
        "{3..5}",
        "$(seq 2)",
        "$(echo 7,8 | tr , ' ')",
        "$(printf '9\\n4\\n' | sort -n)",
        f'"${{{array}[@]}}"',
        f"${{{array}[@]:1}}",
    )
    yield f"{array}=({writer.words()})"
    yield f"for {name} in {writer.random.choice(forms)}; do"
    yield from writer.block(depth, f"${name}")
    leave = writer.random.choice(("break", "continue", ":"))
    yield f"  [ ${name} -gt 5 ] && {leave}"
    yield from writer.block(depth, f"${name}")
    yield "done"


def _counting(writer: _Writer, depth: int) -> Lines:
    name = writer.name()
    yield f"for (({name}=1; {name}<={writer.random.randint(1, 3)}; {name}++)); do"
    yield from writer.block(depth, f"${name}", f"$(({name}*2+1))")
    yield "done"


def _while(writer: _Writer, depth: int) -> Lines:
    name = writer.name()
    yield f"{name}=0"
    yield writer.random.choice((f"while [ ${name} -lt 2 ]; do", f"until (({name} >= 2)); do"))
    yield f"  {name}=$(({name} + 1))"
    yield from writer.block(depth, f"${name}")
    yield "done"


def _read(writer: _Writer, depth: int) -> Lines:
    name, rest = writer.name(), writer.name()
    lines = [f"{writer.random.randint(1, 90)} {writer.words()}" for _ in range(2)]
    shape = writer.random.randrange(3)
    if shape == 1:
        yield f"printf '%s\\n' '{lines[0]}' '{lines[1]}' | while read -r {name} {rest}; do"
    else:
        yield f"while read -r {name} {rest}; do"
    yield from writer.block(depth, f"${name}", f"${{{rest}%% *}}")
    if shape == 0:
        yield "done <<EOF"
        yield from lines
        yield "EOF"
    else:
        yield "done" if shape == 1 else f"done < <(echo '{lines[0]}')"


def _if(writer: _Writer, depth: int) -> Lines:
    asked = (
        f"iptables -C {writer.rule()} 2>/dev/null",
        f"! iptables -C {writer.rule()} 2>/dev/null",
        "[ $n -eq 1 ]",
        "[[ $n == [12] && -n $IPT ]]",
        "((n % 2))",
        "iptables -N web 2>/dev/null",
        "iptables -n -L lan >/dev/null 2>&1",
        "[[ ab$n =~ ^a(b[0-9])$ ]]",
    )
    yield f"if {writer.random.choice(asked)}; then"
    yield from writer.block(depth)
    if writer.random.random() < 0.5:
        yield f"elif {writer.random.choice(asked)}; then"
        yield from writer.block(depth)
    yield "else"
    yield from writer.block(depth)
    yield "fi"


def _case(writer: _Writer, depth: int) -> Lines:
    ends = writer.random.choice((";;", ";;", ";&", ";;&"))
    yield f"case {writer.number()} in"
    yield "  1|2)"
    yield from writer.block(depth)
    yield f"  {ends}"
    yield "  [0-9]*)"
    yield from writer.block(depth)
    yield "  ;;"
    yield "  *) n=4 ;;"
    yield "esac"


def _function(writer: _Writer, depth: int) -> Lines:
    name, local = f"f{writer.name()}", writer.name()
    yield f"{name}() {{"
    yield f"  local {local}=${{2:-{writer.random.randint(1, 90)}}} n=$1"
    yield from writer.block(depth, "$1", f"${local}")
    if writer.random.random() < 0.4:
        yield f"  [ $1 = 1 ] && return {writer.random.randint(0, 1)}"
        yield from writer.block(depth, f"${local}")
    yield "  return 0"
    yield "}"
    writer.functions.append(name)
    yield f"{name} {writer.number()} {writer.number()}"


def _call(writer: _Writer, depth: int) -> Lines:
    if not writer.functions:
        yield from _function(writer, depth)
        return
    name = writer.random.choice(writer.functions)
    if depth:  # it may be within that function
        yield writer.command()
        return
    yield f"{name} {writer.number()} || n=5"


def _group(writer: _Writer, depth: int) -> Lines:
    opens, closes = writer.random.choice((("(", ")"), ("{", "}")))
    yield opens
    yield from writer.block(depth)
    yield "  n=$((n + 1))"
    yield closes + writer.random.choice(("", " || true", " && n=2"))


def _keyed(writer: _Writer, depth: int) -> Lines:
    name, key = writer.name(), writer.name()
    yield f"declare -A {name}=([ssh]=22 [web]=80)"
    yield f"{name}[dns]=$((n + 50))"
    yield f'for {key} in "${{!{name}[@]}}"; do'
    yield from writer.block(depth, f"${{{name}[${key}]}}")
    yield "done"


def _wrapper(writer: _Writer, depth: int) -> Lines:
    name = f"w{writer.name()}"
    body = writer.random.choice(
        ('iptables "$@"', "$IPT $*", 'if ! iptables "$@"; then return 1; fi')
    )
    yield f"{name}() {{ {body}; }}"
    for _ in range(2):
        yield f"{name} -A {writer.rule()} || n=6"


def _changed(writer: _Writer, depth: int) -> Lines:
    text = writer.name()
    yield f"{text}=10-{writer.random.randint(1, 9)}.{writer.random.randint(1, 9)}"
    forms = (
        f"${{{text}%%-*}}",
        f"${{{text}##*.}}",
        f"$(echo ${text} | cut -d. -f2)",
        f"${{{text}:3:1}}",
        f"${{{text}//[-.]/}}",
        f"${{#{text}}}",
        f"$(echo ${text} | sed 's/-.*//')",
    )
    yield f"n={writer.random.choice(forms)}"
    yield f"iptables -A INPUT -p tcp --dport {writer.random.choice(forms)} -j ACCEPT"


def _restore(writer: _Writer, depth: int) -> Lines:
    yield "iptables-restore --noflush <<EOF"
    yield "*filter"
    yield ":own - [0:0]"
    yield f"-A own -p tcp --dport {writer.number()} -j ACCEPT"
    yield "-A INPUT -j own"
    yield "COMMIT"
    yield "EOF"


def _ends(writer: _Writer, depth: int) -> Lines:
    yield f"trap 'iptables -A OUTPUT -p udp --dport {writer.random.randint(1, 9)}' EXIT"


BLOCKS: tuple[Callable[[_Writer, int], Lines], ...] = (
    *(_for, _counting, _while, _read, _if, _if, _case, _function, _call, _group, _keyed),
    *(_wrapper, _changed, _restore, _ends),
)
