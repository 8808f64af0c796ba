"""Blocks that do not fit into each other: the shell gives up there, and so it is told.

``bash -n`` says the same of each of these texts: that it is wrong, and in which line.
"""

from __future__ import annotations

import shutil
import subprocess

import pytest

from iptlint.dialects.readers import read
from iptlint.dialects.script import tree as t
from iptlint.dialects.script.dropped_lines import asked_of_tools
from iptlint.dialects.script.parser import parse
from iptlint.source import SourceFile, Span

WRONG = {
    "iptables -F\ndone\niptables -X\n": (2, "`done` stands where no block is open"),
    "iptables -F\nfi\n": (2, "`fi` stands where no block is open"),
    "f() {\n iptables -F\n}\n}\n": (4, "`}` stands where no block is open"),
    "iptables -F;;\n": (1, "`;;` stands where no block is open"),
    "for i in 1 2\ndo\ndo\n iptables -F\ndone\n": (3, "a further `do` for the `for` of line 1"),
    "f() {\n if [ -f x ]; then\n  iptables -F\n}\nf\n": (
        4,
        "`}` stands where the `if` of line 2 wants its `fi`",
    ),
    "if [ -f x ]\n iptables -F\nfi\n": (3, "`fi` stands where the `if` of line 1 wants its `then`"),
    "case $1 in\na) for i in 1; do iptables -F;;\nesac\n": (
        2,
        "`;;` stands where the `for` of line 2 wants its `done`",
    ),
    "f() {\n # to do\n}\n": (3, "`}` stands where the `{` of line 1 has no command yet"),
    "if [ -f x ]; then\n # to do\nfi\n": (3, "`fi` stands where the `if` of line 1 has no"),
    "if [ -f x ]; then\n iptables -F\n": (3, "`fi` is missing: the `if` of line 1 does not end"),
    "while read x; do\n iptables -F\n": (3, "`done` is missing: the `while` of line 1 does not"),
}


@pytest.mark.parametrize("text", WRONG)
def test_the_word_is_told_that_does_not_fit(text: str) -> None:
    source = SourceFile("firewall.sh", text)
    (wrong,) = parse(source).diagnostics
    line, message = WRONG[text]
    assert source.line_of(wrong.start) == line
    assert wrong.message.startswith(message)
    assert wrong.message.endswith("the shell gives up here")


@pytest.mark.parametrize("text", WRONG)
def test_bash_gives_up_in_the_same_line(text: str) -> None:
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("there is no bash")
    told = subprocess.run([bash, "-n"], input=text, text=True, capture_output=True, check=False)
    assert f"line {WRONG[text][0]}: syntax error" in told.stderr


@pytest.mark.parametrize(
    ("line", "column"),
    [
        ("nft add chain inet f a b (c)", 25),
        ("iptables -A INPUT -p tcp --bogus -j ACCEPT (ssh)", 43),
        ("nft add rule ip f a ip saddr { 10.0.0.1 } acept; }", 50),
    ],
)
def test_no_tool_is_asked_for_a_line_in_which_the_shell_gives_up(line: str, column: int) -> None:
    text = f"#!/bin/bash\nnft add table inet f\n{line}\niptables -A INPUT --bogos\n"
    file = parse(SourceFile("firewall.sh", text))
    told = [each for each in read(file.source).diagnostics if each.code == "IPT001"]
    places = [Span(file.source, each.start, each.end) for each in told]
    assert [(each.line, each.column) for each in places] == [(3, column), (4, 19)]
    assert [*asked_of_tools(file, told)] == told


@pytest.mark.parametrize(
    "text",
    [
        "f() { iptables -F; }\n",
        "find . -exec rm {} \\;\n",
        "for i in {1..3}; do echo done fi } esac; done\n",
        'echo "${x:-}" ${y%%\\}}\n',
        "case $1 in\n a) ;;\n if) iptables -F ;;\nesac\n",
        "if x; then y; elif z; then\n # so\n y; else { y; }; fi\n",
        "until x; do y; done\nselect a in b; do break; done\n",
        "for ((i=0; i<3; i++)); do x; done\nfor ((i=0; i<3; i++)) { x; }\n",
        "cat <<EOF\nfi\ndone\n}\nEOF\n",
        "cat <<EOF >list;\na\nEOF\nfor i in $(cat list); do iptables -F; done\n",
        "cat << 'EOF' | sort;\na\nEOF\n",
        "[[ $x =~ ^[0-9]{3}$ ]] && y\n",
    ],
)
def test_reserved_words_that_are_none(text: str) -> None:
    assert not parse(SourceFile("firewall.sh", text)).diagnostics


def test_what_the_shell_was_about_to_carry_out_begins_its_line() -> None:
    statements = parse(SourceFile("firewall.sh", "a\nb; c;;\nd\n")).statements
    assert [type(each) for each in statements] == [t.Command, t.Salvaged]


def test_a_text_in_quotes_that_does_not_end_is_told_where_it_begins() -> None:
    source = SourceFile("firewall.sh", 'a\niptables -m comment --comment "b\nc\n')
    (wrong,) = parse(source).diagnostics
    assert source.line_of(wrong.start) == 2
