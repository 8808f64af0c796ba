from __future__ import annotations

from iptlint.findings import Finding, Severity
from iptlint.findings.fingerprint import fingerprints
from iptlint.source import SourceFile


def findings(text: str, *lines: int, path: str = "a/rules.v4") -> list[Finding]:
    source = SourceFile(path, text)
    return [Finding("IPT101", Severity.ERROR, source.line_span(line), "m") for line in lines]


def test_lines_counters_blanks_and_folders_do_not_matter() -> None:
    (before,) = fingerprints(findings("[1:2] -A INPUT -j DROP\n", 1))
    (after,) = fingerprints(findings("# new\n[9:9]  -A INPUT  -j DROP\n", 2, path="b/rules.v4"))
    assert before == after
    assert len(before) == 16


def test_what_matters() -> None:
    text = "-A INPUT -j DROP\n-A INPUT -j ACCEPT\n-A INPUT -j DROP\n"
    assert len(set(fingerprints(findings(text, 1, 2, 3)))) == 3
    (other,) = fingerprints(findings(text, 1, path="rules.v6"))
    assert other not in set(fingerprints(findings(text, 1, 2, 3)))


def test_bytes_that_are_no_text() -> None:
    assert len(list(fingerprints(findings("\udcff\n", 1)))) == 1


def test_half_a_character_that_python_gives_has_one_too() -> None:
    assert len(list(fingerprints(findings("\ud800\n", 1)))) == 1
