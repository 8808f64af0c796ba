"""What bash takes, and where it gives up: ``bash -n`` is the judge of the judge."""

from __future__ import annotations

import random
import re
import subprocess
from pathlib import Path

import pytest

from iptlint.dialects.script.parser import parse
from iptlint.dialects.script.shell_judge import judged
from iptlint.dialects.script.shell_words import Words
from iptlint.dialects.script.unreadable import as_judged
from iptlint.source import SourceFile

SCRIPTS = sorted((Path(__file__).parents[2] / "kernel" / "scripts").glob("*.sh"))

TAKEN = (
    "x=${a:+':'$b':'}\n",
    'r="${r//(/\\(}"\n',
    "((j > 5 && (j = 0, 1))) && echo x\n",
    "i=$(( (i+1) % 10 ))\n",
    'echo "${}"\n',
    "( true; ) {fd}<>lock\n",
    "f() { cat; } >&2\n",
    "if ! ( exec 7<>/dev/net/tun ) 2>/dev/null; then :; fi\n",
    "case $1 in (a|b) ;; *) echo x ;& esac\n",
    "for ((i=0; i<3; i++)) { echo $i; }\n",
    "[[ $a =~ ^(a b|c)$ ]] && echo x\n",
    "a=(1 # one\n 2)\n",
    "cat <<'EOF' | nft -f -\nif then (\nEOF\n",
    "cat <(iptables -S) >x\n",
    'echo "$$(x"\n',
    "time\n! true\n",
    "[[ $x != *-@(a|b) && $y == a ]]\n",
    "a[1 + 1]=3 b+=4 c\n",
    "echo $'it\\'s' $\"x\"\n",
)
REFUSED = (
    "if true; then\n echo x\n",
    "iptables -s <a>\n",
    "fi\n",
    "echo a;; echo b\n",
    "{ }\n",
    'echo "a\n',
    "case x in a) echo; done esac\n",
    "echo (a)\n",
    "f() echo x\n",
    "while true; done\n",
    "| cat\n",
    "x=$(echo a\n",
)


def _bash_takes(text: str) -> bool:
    """What it says of a test in brackets is an error too, with the status of none."""
    ran = subprocess.run(("bash", "-n"), input=text.encode(), capture_output=True, check=False)
    return ran.returncode == 0 and b"syntax error" not in ran.stderr


@pytest.mark.parametrize("text", [*TAKEN, *REFUSED])
def test_a_text_is_judged_as_bash_judges_it(text: str) -> None:
    assert (judged(text).place is None) == _bash_takes(text) == (text in TAKEN)


@pytest.mark.parametrize("text", TAKEN)
def test_what_bash_takes_is_no_mistake(text: str) -> None:
    """The grammar that the tree comes from has no place for some of it."""
    told = parse(SourceFile("fw.sh", text)).diagnostics
    assert all(each.code == "IPT002" for each in told)


@pytest.mark.parametrize("text", REFUSED)
def test_what_bash_refuses_is_told_once(text: str) -> None:
    told = parse(SourceFile("fw.sh", text)).diagnostics
    assert "IPT001" in {each.code for each in told}


def test_broken_scripts_are_judged_as_bash_judges_them() -> None:
    """Where this is not sure it takes a text, so it may say less than bash, and never more."""
    chance = random.Random(1)
    signs = (" fi ", "(", ")", '"', "'", "`", ";;", " done", "{", "}", " do ", "&", "|", "<", "$(")
    for script in SCRIPTS:
        text = script.read_text("utf-8")
        for _ in range(3):
            at = chance.choice([found.start() for found in re.finditer(r"\b|\n", text)])
            broken = text[:at] + chance.choice(signs) + text[at:]
            if judged(broken).place is not None:
                assert not _bash_takes(broken), broken


def test_behind_the_end_of_a_script_anything_may_stand() -> None:
    """``bash -n`` reads on, as it carries nothing out; bash does not."""
    text = "echo a\nexit 0\n) ( fi\n"
    ran = subprocess.run(("bash",), input=text.encode(), capture_output=True, check=False)
    assert (ran.stdout, ran.stderr) == (b"a\n", b"")
    assert judged(text).place is None


def test_nothing_is_carried_out_from_the_line_on_that_is_refused() -> None:
    judgement = judged("echo a\nif true; then\n echo b\n done\nfi\n")
    assert judgement.within == len("echo a\n")


def test_a_here_document_without_an_end_is_known() -> None:
    assert judged("cat <<-EOF\n\ta\n  EOF\n").unended == {"EOF"}
    assert not judged("cat <<-EOF\n\ta\n\tEOF\n").unended


def test_a_mistake_that_the_grammar_passes_over_is_told() -> None:
    text = "echo a\n)\n"
    told, within = as_judged((), SourceFile("fw.sh", text), text)
    assert [each.start for each in told] == [within] == [len("echo a\n")]


def test_a_word_ends_where_bash_ends_it() -> None:
    words = Words("a'b c'\"${x:-}\" d")
    assert words.word()
    assert words.text[words.at :] == " d"
