from __future__ import annotations

import pytest

from iptlint.findings import Finding, Severity
from iptlint.findings.suppressions import Suppressed, apply_suppressions
from iptlint.source import SourceFile

NAMES = {"IPT101": "shadowed-rule", "IPT501": "list-should-be-set"}
RULE = "-A INPUT -j DROP\n"


def sifted(text: str, *found: tuple[str, int]) -> Suppressed:
    source = SourceFile("rules.v4", text)
    findings = [Finding(c, Severity.ERROR, source.line_span(line), "m") for c, line in found]
    return apply_suppressions(findings, [source], NAMES)


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
        "# iptlint: ignore-file",
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
        "# iptlint: ignored",
        "# iptlint: ignore: IPT101",
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
    assert apply_suppressions([finding], [quiet, loud], NAMES).kept == (finding,)


def test_what_hid_nothing_is_known() -> None:
    result = sifted(f"# iptlint: ignore=IPT501 why\n{RULE}", ("IPT101", 2))
    (unused,) = result.unused
    assert (unused.codes, unused.reason, unused.line) == (("IPT501",), "why", 2)


def test_a_comment_on_the_last_line() -> None:
    assert sifted(f"{RULE}# iptlint: ignore", ("IPT101", 1)).hidden == ()
