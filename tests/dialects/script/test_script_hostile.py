"""No text makes the reader of scripts fail, or keeps it for long."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from iptlint.dialects.script.lower import run_script
from iptlint.dialects.script.parser import parse
from iptlint.source import SourceFile
from tests.costs import at_most

CORPUS = Path(__file__).parents[4] / "shared" / "corpus"
PIECES = (
    *("iptables -A INPUT -j DROP\n", "iptables -D INPUT $1\n", "if [ -f x ]; then\n", "fi\n"),
    *("for i in $x; do\n", "done\n", "while read a; do\n", "f() {\n", "}\n", "f\n", "case $1 in\n"),
    *("*) ", ";;\n", "esac\n", "<<EOF\n", "EOF\n", "$(", ")", "`", "'", '"', "${x%", "}", "&\n"),
    *("eval $x\n", "exit\n", "return\n", "break 9\n", "iptables-restore <<EOF\n", "|", "\\", "\0"),
    *("nft -f - <<EOF\n", "table inet x {\n", "ipset add $1\n", "x=$((1+", "))\n", "[[ ", "]]\n"),
)


def finish(text: str) -> list[str]:
    ruleset, diagnostics = run_script(parse(SourceFile("firewall.sh", text))).final()
    for diagnostic in diagnostics:
        source = diagnostic.source or ruleset.source
        assert 0 <= diagnostic.start <= diagnostic.end <= len(source.text)
    for _, _, rule in ruleset.rules():
        for index in range(-1, len(rule.matches)):
            span = rule.origin.part(index)
            assert 0 <= span.start <= span.end <= len(span.source.text)
    return [diagnostic.code for diagnostic in diagnostics]


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.sampled_from(PIECES), max_size=25).map("".join) | st.text(max_size=60))
def test_any_text(text: str) -> None:
    finish(text)


@pytest.mark.parametrize(
    "text",
    [
        "f() { f; }\nf\n",
        "f() { f | f; f || f; }\nf\n",
        "while true; do iptables -A INPUT -j DROP; done\n",
        "for ((;;)); do :; done\n",
        "for a in {1..999}; do for b in {1..999}; do iptables -A INPUT -j DROP; done; done\n",
        "x={1..999}{1..999}{1..999}; iptables -A INPUT -s $x -j DROP\n",
        "iptables -t '' -I '' 1 -j _; iptables -t '' -A $x -j _; iptables -t $x -P INPUT $y\n",
        'x="iptables -F;"; while true; do x="$x$x"; eval "$x"; done\n',
        'eval "$0"; bash "$0"; . "$0"\n',
        "(" * 3000,
        "$(" * 3000,
        "if a; then " * 2000,
        "a && " * 5000 + "iptables -F\n",
        "f() {\n" * 500,
        "x=" + "y" * 100_000 + "\niptables -A $x$x$x\n",
    ],
    ids=lambda text: text[:12],
)
def test_what_goes_on_for_ever_is_cut_short(text: str) -> None:
    with at_most(30):
        finish(text)


@pytest.mark.parametrize(
    "text",
    [
        "f() { f; }\nf\n",
        "i=0; while [ $i -ge 0 ]; do i=$((i + 1)); done\n",
        "for ((;;)); do :; done\n",
    ],
)
def test_what_is_cut_short_is_told(text: str) -> None:
    assert "IPT010" in finish(text)


def test_a_fault_of_the_shell_is_told_at_its_line_and_the_rest_is_read() -> None:
    text = "iptables -A INPUT -j DROP\nif [ -f x ; then (\niptables -A INPUT -j LOG\n"
    source = SourceFile("firewall.sh", text)
    ruleset, diagnostics = run_script(parse(source)).final()
    assert "IPT001" in [diagnostic.code for diagnostic in diagnostics]
    assert [rule.verdict.name for _, _, rule in ruleset.rules()][:1] == ["DROP"]


def test_scripts_that_others_wrote() -> None:
    folder = CORPUS / "shell" / "unlabelled"
    if not folder.is_dir():
        pytest.skip("the corpus is not beside the project")
    for path in sorted(folder.iterdir())[::25]:
        text = path.read_bytes().decode("utf-8", "surrogateescape")
        assert parse(SourceFile(str(path), text)).diagnostics == ()
        finish(text)
        finish(text[: len(text) // 2])


@pytest.mark.parametrize("character", ["é", "\u3000", "\U0001d482", "\U000fffff", "\udc80"])
def test_what_is_not_ascii_is_a_part_of_words(character: str) -> None:
    """The grammar's scanner reads beyond C's tables of letters for such characters."""
    text = f"iptables -A INPUT -m comment --comment '{character}' -j DROP\n"
    text += f"x{character}=1 <<{character}\n"
    ruleset, _ = run_script(parse(SourceFile("firewall.sh", text))).final()
    ((_, _, rule),) = ruleset.rules()
    assert rule.comment == character


def test_a_script_with_a_name_that_is_not_known() -> None:
    """`$(…)/other.sh` is no path."""
    text = "D=$(dirname x)\n$(pwd)/$1.sh\n$D$(date)/a.sh\niptables -F\n"
    assert len(run_script(parse(SourceFile("firewall.sh", text))).steps) == 1
