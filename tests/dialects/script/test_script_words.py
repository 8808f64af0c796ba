"""Words become what bash makes of them; what is not known of them is told, never guessed."""

from __future__ import annotations

import shutil
import subprocess

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

FOLLOWED = (
    "e $((2**3**2)) $((-2**2)) $((7&3|8)) $((1<<4)) $((~5)) $((!3)) $((5>3)) $((2#101)) $((010))",
    "x=5; e $((x>3 ? 10 : 20)) $((x<3 ? 10 : x*2)) $(((x+1)*2)) $((x++)) $((++x)) $x $((x--,x))",
    'x=1; y=x+1; e $((y*2)) $(( $y*2 )) $(("$x"+1))',
    "x=0; ((x++)) || e zero; ((x++)) && e one; ((x+=5,x*=2)); e $x; let x=x-3 y=2; e $x $y",
    "x=0; e $((0 && x++)) $((1 || x++)) $x $((1 && ++x)) $x",
    "for ((i=1, j=10; i<=3; i++, j+=10)); do e $i $j; done; e $i",
    "for ((i=3;i;i--)); do e $i; done; for ((;;)); do e once; break; done",
    "a=(4 5); ((a[1]++, a[2]=9)); e ${a[@]} $((a[0]+${a[1]}))",
    "((n<5 && n>=0)) && e both; ((n!=0 || 0)) || e none; n=3; (( ! n )) || e set",
    "declare -A m=([ssh]=22 [web]=80); m[dns]=53; n=dns; e ${m[ssh]} ${m[$n]} ${#m[@]} x${m[no]}",
    'declare -A m; m[b c]=1; m[a]=2; m[b c]=3; e "${m[b c]}" "${!m[@]}" "${m[@]}"',
    "declare -A m=([x]=1 [y]=2); unset 'm[x]'; for k in ${!m[@]}; do e $k ${m[$k]}; done",
    "declare -A n; for w in a b ssh lan wan http; do n[$w]+=1; done; e ${!n[@]} ${n[lan]}",
    "f() { local -A m=([a]=1); e ${m[a]}; }; m=(0 9); f; e ${m[1]}",
    "m=([5]=five [2]=two z); e ${m[5]} ${m[6]} ${!m[@]} ${#m[@]} ${m[-1]}; m+=(w); e ${!m[@]}",
    "m=(a b c); unset 'm[0]'; e ${#m[@]} ${!m[@]} ${m[1]} ${m[-1]}; m=(${m[@]}); e ${!m[@]}",
    "x=abcdef; e ${x:0:-1} ${x: -2} ${x:(-3):2} ${x^} ${x^^} ${x^^[ace]}; X=ABC; e ${X,} ${X,,}",
    "y=a-b-c; e ${y/#a/z} ${y/%c/z} ${y/#/z} ${y/%/z} ${y/#b/z} ${y//-} ${y/-} ${y/-/\\/}",
    "set -- p q r; e ${@: -1} ${@:2} ${*:1:2}; a=(p q r); e ${a[@]: -2:1} ${a[@]:0:2}",
    "declare -i n=2+3; n+=4; e $n; declare -u u=drop; e $u; typeset -l l=ABC; l+=D; e $l",
    "f() { e one; }; unset -f f; f 2>/dev/null || e gone",
    "set -e; e one; false; e two",
    "set -e; false || e a; false && e b; ! true; if false; then e c; fi; e d; (false); e f",
    "set -e; f() { false; e on$1; }; f || e no; if f 2; then e yes; fi; f; e never",
    "set -e; f() { local x=$(false); e kept; }; f; y=$(false); e never",
    "set -o errexit; set +e; false; e on; set -e; ((0)); e never",
    "set -eo pipefail; false | true; e never",
    "set -e; x=0; while [ $x -lt 2 ]; do e $x; x=$((x+1)); done; [ $x = 9 ]; e never",
    "false; e $?; x=$(exit 3); e $?; rc=$?; true; e $? $rc; (exit 4); e $?; y=$?; e $y",
    "f() { return 7; }; f; e $?; f || e n$?; if f; then :; else e x$?; fi; ! f; e $?",
    "false | true; e ${PIPESTATUS[0]} $?; true | false; e $? ${PIPESTATUS[@]}",
    "trap 'e end' EXIT; e one; exit 0; e never",
    "trap 'e end' 0; trap - EXIT; trap 'e int' INT TERM; e one",
    "trap 'e failed; exit 1' ERR; e one; false || true; false; e never",
    "f() { e bye; }; trap f EXIT; set -e; e one; false; e never",
    "f() { exec true; }; e one; (f; e never); e two; exec true; e never",
    "x=1; { x=2; e in; } & wait; e $x",
    "set -- -p 22 -vd x y; while getopts p:dv o; do e $o $OPTARG; done; shift $((OPTIND-1)); e $@",
    "x=0\n[ $x -eq 0 ] && e a\ne b 2>/dev/null\nif [ $x -ne 1 ]; then e c; fi\n[ $x ] && e d",
    "set -- -x -p; while getopts :p: o; do e $o $OPTARG; done; e $OPTIND",
    "f() { local OPTIND=1 o; while getopts ab: o; do e $o $OPTARG; done; }; f -ab5 -a; f -b7 -- -a",
)
"""Of these everything is known."""


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
