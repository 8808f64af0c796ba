"""Redirections that lead nowhere: the shell gives up in that line, and the next is none of it.

``bash -n`` says of each text that it is wrong, and in which line.
"""

from __future__ import annotations

import shutil
import subprocess

import pytest

from iptlint.dialects.readers import read
from iptlint.dialects.script.grammar_tree import parsed
from iptlint.dialects.script.parser import parse
from iptlint.model import Family
from iptlint.source import SourceFile

NEXT = "iptables -A INPUT -i lo -j ACCEPT\n"
WRONG = {
    f"iptables -F\niptables -A INPUT -s <address>\n{NEXT}": (2, ">"),
    f"iptables -A INPUT -s <address> # of the office\n# lo\n{NEXT}": (1, ">"),
    f"iptables -L >>\n{NEXT}": (1, ">>"),
    f"iptables-restore <\n{NEXT}": (1, "<"),
    f"f() {{\n iptables -L &>\n {NEXT}}}\nf\n": (2, "&>"),
}
RIGHT = [
    f"exec 3>&-\n{NEXT}",
    f"iptables -L > \\\n /dev/null\n{NEXT}",
    f"iptables -L >&2\n{NEXT}",
    f"echo 'a <b>\n' >/dev/null\n{NEXT}",
    f"cat <<EOF >/dev/null\n<b>\nEOF\n{NEXT}",
]


def _bash(text: str) -> str:
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("there is no bash")
    told = subprocess.run([bash, "-n"], input=text, text=True, capture_output=True, check=False)
    return told.stderr


@pytest.mark.parametrize("text", WRONG)
def test_the_line_without_a_file_is_told_and_the_next_is_read(text: str) -> None:
    line, sign = WRONG[text]
    source = SourceFile("firewall.sh", text)
    (wrong,) = parse(source).diagnostics
    assert (source.line_of(wrong.start), wrong.drops_line) == (line, True)
    assert wrong.message == f"a file's name is missing behind `{sign}`, and the shell gives up here"
    table = read(source).ruleset.table("filter", Family.IP)
    assert table is not None
    assert "-i lo" in table.chains["INPUT"].rules[-1].origin.span.text
    assert f"line {line}: syntax error" in _bash(text)


@pytest.mark.parametrize("text", RIGHT)
def test_what_has_a_file_or_needs_none(text: str) -> None:
    assert not parse(SourceFile("firewall.sh", text)).diagnostics
    assert parsed(text)[2] == []
    assert not _bash(text)


@pytest.mark.parametrize("sign", [*".,:%+=~^"])
def test_a_dollar_that_begins_nothing(sign: str) -> None:
    """`bash -c 'echo $.5'` prints `$.5`, and so on."""
    text = f"echo ${sign}5\n{NEXT}"
    assert not parse(SourceFile("firewall.sh", text)).diagnostics
    assert not _bash(text)
