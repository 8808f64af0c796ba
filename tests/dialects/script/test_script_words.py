"""Words become what bash makes of them; what is not known of them is told, never guessed."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from iptlint.dialects.script.lower import run_script
from iptlint.dialects.script.parser import parse
from iptlint.dialects.script.symbolic_text import is_known
from iptlint.source import SourceFile

BEFORE = "a=a1; b=b2; l=(p1 q1 'r s'); set -- one 'two three'\n"
WORDS = (
    *('"$a $b"', '"$a ${b}"', '"$a $(echo x)"', '"$a `echo x`"', '"$a  $b"', '" $a $b "'),
    *('"$a\t$b"', '"$a\n$b"', '"${a} ${b} ${a}"', '"$a $((1+2)) $b"', '"$a ${l[1]}"'),
    *('"${z:-$b $a}"', '"${z:-x y}"', "${z:-$b $a}", '"${a:+x $b}"', '"${a/a/x y}"'),
    *("${l[*]/1/, }", '"${l[@]:1}"', '"${@:2}"', "${b:0:1}", "${b:1}", '"${!l[@]}"'),
    *("$(seq 1 3)", "`seq 2 4`", "$(seq 3)", "$((5/2))", "$((-7%4))", "$((${#l[@]}-1))"),
    *("{1..3}", "x{a,b}", '"{a,b}"', "$(printf '%s,%s' 1 2)", '"$a $"', "$(basename /x/y.sh .sh)"),
)
SCRIPTS = (
    "mapfile -t m <<< $'p\\nq'; for i in \"${m[@]}\"; do e $i; done",
    "s=p,q; for i in ${s//,/ }; do e $i; done",
    "x=p:1; e ${x%%:*} ${x##*:}",
    "x=1; while (( x <= 3 )); do e $x; ((x++)); done",
    "m=(p q); for ((i=0; i<${#m[@]}; i++)); do e ${m[i]}; done",
    'm=(p q); for i in "${!m[@]}"; do e $i ${m[$i]}; done',
    "for i in `printf 'x\\n#y\\n' | grep -v ^#|grep -v ^$`; do e $i; done",
    "declare -A m=([a]=1); e ${m[a]}",
    "m=([2]=x); e ${m[2]}",
    'm=(1 2 3); unset "m[1]"; e ${m[1]}',
    "f() { local -n r=$1; e ${r[0]}; }; m=(p q); f m",
    'printf -v x "%s-%s" a b; e $x',
    "set -euo pipefail; e x$#",
    'set -- a b; set -eo pipefail; e $# "$@"',
    'set -oo pipefail errexit x; e "$@"',
    'set -u y z; set +u; e "$@"',
)

FOLLOWED = (Path(__file__).parent / "followed.sh").read_text("utf-8").rstrip("\n").split("\n\n")
"""Of these everything is known. `e` has its words printed, or is a command of iptables."""


def ours(text: str) -> list[tuple[str, ...]]:
    script = run_script(parse(SourceFile("firewall.sh", f'e() {{ iptables -N "$@"; }}\n{text}\n')))
    return [step.words[1:] for step in script.steps]


def real(text: str) -> list[tuple[str, ...]]:
    if shutil.which("bash") is None:
        pytest.skip("no bash")
    prints = "e() { (( $# )) && printf '%s\\0' \"$@\"; printf '\\n\\0'; }\n"
    done = subprocess.run(["bash", "-c", prints + text], capture_output=True, text=True)
    calls = done.stdout.split("\n\0")[:-1]
    return [tuple(call.split("\0")[:-1]) for call in calls]


@pytest.mark.parametrize("word", WORDS)
def test_a_word_is_what_bash_makes_of_it(word: str) -> None:
    text = f'{BEFORE}for i in {word}; do e "$i"; done'
    quoted = text.replace('e "$i"', 'iptables -N "$i"')
    script = run_script(parse(SourceFile("firewall.sh", quoted)))
    assert [step.words[1:] for step in script.steps] == real(text)


@pytest.mark.parametrize("text", SCRIPTS)
def test_what_is_known_is_right(text: str) -> None:
    found = ours(text)
    known = [call for call in found if all(map(is_known, call))]
    assert found == real(text) or len(known) < len(found)
    assert not parse(SourceFile("firewall.sh", text)).diagnostics


@pytest.mark.parametrize("text", FOLLOWED)
def test_all_of_it_is_known(text: str) -> None:
    assert ours(text) == real(text)


def test_a_pattern_with_a_group_may_fit_or_not() -> None:
    """bash takes extglob in ``[[`` always; what it fits is not worked out."""
    text = 'x=a-nft; if [[ "$x" != *-@(legacy|nft) ]]; then e no; else e yes; fi'
    assert ours(text) == [("no",), ("yes",)]
    assert not parse(SourceFile("firewall.sh", text)).diagnostics
