from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest

from iptlint.findings import Finding, Label, Severity
from iptlint.findings.suppressions import Suppressed, Suppression, apply_suppressions, written
from iptlint.source import SourceFile, Span

NAMES = {"IPT101": "shadowed-rule", "IPT501": "list-should-be-set"}
RULE = "-A INPUT -j DROP\n"


def sifted(text: str, *found: tuple[str, int]) -> Suppressed:
    source = SourceFile("rules.v4", text)
    findings = [Finding(c, Severity.ERROR, source.line_span(line), "m") for c, line in found]
    return apply_suppressions(findings, written([source], NAMES), NAMES)


@pytest.mark.parametrize(
    "comment",
    [
        "# iptlint: ignore",
        "#iptlint:ignore",
        "# iptlint: ignore=IPT101",
        "# iptlint: ignore=IPT501, IPT101 it is meant",
        "# iptlint: ignore=IPT1",
        "# iptlint: ignore=shadowed-rule\r",
        "# iptlint: ignore the office is closed",
        "# iptlint: ignore=IPT101\n# another remark\n",
        "# iptlint: ignore[IPT101] the form of other linters",
        "# iptlint: ignore[IPT501, IPT101]",
        "# iptlint: ignore-file[IPT101] generated",
        "# iptlint: ignore-file",
        "# iptlint: ignore-chain=IPT101 the office writes this chain",
        "# iptlint: ignore-file=IPT101,IPT501 generated",
    ],
)
def test_a_comment_speaks_for_the_next_statement(comment: str) -> None:
    text = f"*filter\n{comment}\n{RULE}{RULE}"
    line = text.split("\n").index(RULE.strip()) + 1
    result = sifted(text, ("IPT101", line))
    assert (result.kept, len(result.hidden), result.unused) == ((), 1, ())


@pytest.mark.parametrize(
    "comment",
    [
        "# iptlint: ignore=IPT501",
        "-A INPUT -m comment --comment '# iptlint: ignore'",
    ],
)
def test_and_for_nothing_else(comment: str) -> None:
    assert sifted(f"{comment}\n{RULE}", ("IPT101", 2)).hidden == ()


def test_the_statement_after_the_next_is_not_meant() -> None:
    assert sifted(f"# iptlint: ignore\n{RULE}{RULE}", ("IPT101", 3)).hidden == ()


def test_another_file_is_not_meant() -> None:
    quiet, loud = SourceFile("a", "# iptlint: ignore-file\n"), SourceFile("b", RULE)
    finding = Finding("IPT101", Severity.ERROR, loud.line_span(1), "m")
    assert apply_suppressions([finding], written([quiet, loud], NAMES), NAMES).kept == (finding,)


def test_what_hid_nothing_is_known() -> None:
    result = sifted(f"# iptlint: ignore=IPT501 why\n{RULE}", ("IPT101", 2))
    (unused,) = result.unused
    assert (unused.codes, unused.reason, unused.lines) == (("IPT501",), "why", {2})


def test_a_comment_on_the_last_line() -> None:
    assert sifted(f"{RULE}# iptlint: ignore", ("IPT101", 1)).hidden == ()


@pytest.mark.parametrize(
    ("comment", "told"),
    [
        ("# iptlint: ignore-file IPT404", "write ignore-file=IPT404 to name a rule"),
        ("# iptlint: ignore IPT101 the office", "write ignore=IPT101 to name a rule"),
        ("# iptlint: ignore shadowed-rule", "write ignore=shadowed-rule to name a rule"),
        ("# iptlint: ignore see ipt101", "write ignore=ipt101 to name a rule"),
        ("# iptlint: ignor=IPT101", "there is no 'ignor' (did you mean ignore?)"),
        ("# iptlint: ignored", "there is no 'ignored' (did you mean ignore?)"),
        ("# iptlint: disable=IPT101", "there is no 'disable' (did you mean ignore?)"),
        (
            "# iptlint: disable-file=IPT101",
            "there is no 'disable-file' (did you mean ignore-file?)",
        ),
        ("# iptlint: ignore: IPT101", "write ignore=CODE reason, or ignore[CODE] reason"),
        ("# iptlint: ignore[IPT101", "write ignore=CODE reason, or ignore[CODE] reason"),
        ("# iptlint: ignore[]", "'' is no list of codes"),
        ("# iptlint: ignore=", "write ignore=CODE reason"),
        ("# iptlint ignore=IPT101", "a colon is missing"),
        ('-A X -m comment --comment "iptlint: ignor=IPT1" -j DROP', "there is no 'ignor'"),
    ],
)
def test_what_looks_like_a_suppression_and_is_none_hides_nothing(comment: str, told: str) -> None:
    result = sifted(f"{comment}\n{RULE}{RULE}", ("IPT101", 1), ("IPT101", 2), ("IPT404", 3))
    assert (len(result.kept), result.hidden, result.comments) == (3, (), ())
    (faulty,) = result.faulty
    assert told in faulty.fault


@pytest.mark.parametrize(
    "statement",
    [
        '-A INPUT -m comment --comment "iptlint: ignore=IPT101 the office" -j DROP',
        "-A INPUT -m comment --comment 'iptlint: ignore[IPT101] x' -j DROP",
        '\t\ttcp dport 22 drop comment "iptlint: ignore=IPT101"',
        "\t\ttcp dport 22 drop # iptlint: ignore=IPT101 the office",
        '\t\tlog prefix "#1" drop; # iptlint: ignore',
        "iptables -A INPUT -m comment --comment '# 1' -j DROP # iptlint: ignore=shadowed-rule",
    ],
)
def test_a_statement_may_say_it_of_itself(statement: str) -> None:
    result = sifted(f"{statement}\n{RULE}", ("IPT101", 1), ("IPT101", 2))
    assert [f.span.line for f in result.hidden] == [1]
    assert result.unused == result.faulty == ()


@pytest.mark.parametrize(
    "statement",
    [
        "iptables -A INPUT \\\n  -j DROP # iptlint: ignore=IPT101",
        "tcp dport {\n  22, 23 } drop # iptlint: ignore=IPT101",
    ],
)
def test_a_comment_behind_the_last_line_of_a_statement_speaks_for_it(statement: str) -> None:
    source = SourceFile("x", f"{statement}\n{RULE}")
    found = [
        Finding("IPT101", Severity.ERROR, span, "m")
        for span in (Span(source, 0, len(statement)), source.line_span(3))
    ]
    result = apply_suppressions(found, written([source], NAMES), NAMES)
    assert [f.span.line for f in result.hidden] == [1]
    assert result.unused == ()


def test_equal_rules_have_equal_comments() -> None:
    """Of two copies one is told; that the other has the same comment is nothing to tell."""
    rule = '-A INPUT -m comment --comment "iptlint: ignore=IPT501 kept" -j DROP\n'
    source = SourceFile("rules.v4", rule * 2)
    first = Label(source.line_span(1), "first here")
    found = Finding("IPT501", Severity.ERROR, source.line_span(2), "m", related=(first,))
    assert apply_suppressions([found], written([source], NAMES), NAMES).unused == ()
    other = replace(found, code="IPT101")
    assert len(apply_suppressions([other], written([source], NAMES), NAMES).unused) == 2


@pytest.mark.parametrize(
    "statement",
    [
        '\t\tlog prefix "a # iptlint: ignore" drop',
        "-A INPUT -j DROP # iptlint: ignore",
        "echo 'no # iptlint: ignore'",
    ],
)
def test_what_is_quoted_or_no_comment_says_nothing(statement: str) -> None:
    result = sifted(f"{statement}\n", ("IPT101", 1))
    assert (result.hidden, result.comments, result.faulty) == ((), (), ())


def test_a_chain_of_iptables() -> None:
    text = (
        "*nat\n:A - [0:0]\n-A A -j DROP\nCOMMIT\n*filter\n"
        "# iptlint: ignore-chain=IPT101 written by hand\n"
        ":A - [0:0]\n:AB - [0:0]\n-A AB -j DROP\n[1:2] -A A -j DROP\n-A A -j LOG\nCOMMIT\n"
    )
    result = sifted(text, *(("IPT101", line) for line in (3, 7, 9, 10, 11)))
    assert [f.span.line for f in result.hidden] == [7, 10, 11]


def test_a_chain_of_nft() -> None:
    text = (
        "table inet t {\n\tchain a {\n\t\tdrop\n\t}\n\t# iptlint: ignore-chain=IPT101\n"
        '\tchain b {\n\t\ttcp dport { 22 } log prefix "}" drop\n\t\tdrop\n\t}\n'
        "\tchain c { drop; }\n}\n"
    )
    result = sifted(text, *(("IPT101", line) for line in (3, 7, 8, 10)))
    assert [f.span.line for f in result.hidden] == [7, 8]


@pytest.mark.parametrize("seed", range(20))
def test_many_comments_speak_for_what_each_does_by_itself(seed: int) -> None:
    draw = Random(seed)
    words = ["ignore", "ignore=IPT101", "ignore=IPT5", "ignore-chain", "ignore-file=IPT501"]

    def line() -> str:
        comment = draw.choice(("", "", f" # iptlint: {draw.choice(words)}"))
        return draw.choice(
            (f"  tcp dport 22 drop{comment}\n", f"  accept{comment}\n", comment + "\n")
        )

    body = "".join(line() for _ in range(12))
    source = SourceFile("rules.nft", f"table ip t {{\n chain c {{\n{body} }}\n}}\n")
    spans = [
        Span(source, source.line_starts[first], source.line_starts[first + lines] - 1)
        for first in range(2, 13)
        for lines in (1, 2)
    ]
    found = [Finding(code, Severity.ERROR, span, "m") for code in NAMES for span in spans]
    result = apply_suppressions(found, written([source], NAMES), NAMES)

    def hides(comment: Suppression, finding: Finding) -> bool:
        first, last = finding.span.line, finding.span.end_line
        lines = range(first, last + 1) if comment.inside else (first,)
        near = comment.lines is None or not comment.lines.isdisjoint(lines)
        return near and comment.names(finding.code, NAMES)

    hidden = [each for each in found if any(hides(c, each) for c in result.comments)]
    assert (result.hidden, result.kept) == (
        tuple(hidden),
        tuple(each for each in found if each not in hidden),
    )
    used = {c for c in result.comments for each in found if hides(c, each)}
    assert {*result.comments} - {*result.unused} == used
