from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from oxidd.util import DDMemoryError

import iptlint.linter.collect
import iptlint.linter.run
from iptlint.analysis.session import Context
from iptlint.dialects import decode
from iptlint.findings import Finding
from iptlint.linter.report import Report
from iptlint.linter.run import lint
from iptlint.rules.registry import RuleModule, rule_of
from iptlint.source import SourceFile

OPEN = "*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -m acme -j DROP\nCOMMIT\n"

Check = Callable[[Context], Iterator[Finding]]


def report(text: str, **more: list[str]) -> Report:
    return lint([SourceFile("rules.v4", text)], **more)


def codes(of: Report) -> list[str]:
    return [finding.code for finding in of.findings]


def test_nothing_to_do() -> None:
    assert lint([]) == Report((), (), 0, False)


def test_what_is_known_of_a_file() -> None:
    (file,) = report(OPEN).files
    assert (file.path, file.dialect, file.family) == ("rules.v4", "iptables-save", "ip")
    assert (file.rules, file.opaque) == (1, 1)


def test_what_cannot_be_read_is_a_file_all_the_same() -> None:
    (file,) = report("Status: active\n\nTo                         Action      From\n").files
    assert (file.family, file.rules) == (None, 0)


def test_an_inet_table_is_of_both_families() -> None:
    (file,) = report("table inet filter {\n}\n").files
    assert (file.dialect, file.family, file.rules) == ("nft", "inet", 0)


def test_a_fault_of_ip_and_of_ip6_is_one_finding() -> None:
    closed = (
        "table inet f {\n chain input {\n  type filter hook input priority 0; policy drop;\n }\n}\n"
    )
    found = [f.code for f in report(closed).findings]
    assert len(found) == len(set(found))


def test_findings_come_in_the_order_of_path_line_and_code() -> None:
    second, first = SourceFile("b", OPEN), SourceFile("a", OPEN)
    found = lint([second, first]).findings
    order = [(f.span.source.path, f.span.line, f.code) for f in found]
    assert order == sorted(order)
    assert {path for path, _, _ in order} == {"a", "b"}


def test_suppressed_findings_are_counted() -> None:
    text = OPEN.replace("-A", "# iptlint: ignore=IPT002 our own module\n-A")
    quiet = report(text, select=["IPT002"])
    assert (quiet.findings, quiet.suppressed) == ((), 1)


@pytest.fixture
def replace(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, Check], None]:
    def replace_check(code: str, check: Check) -> None:
        rules = [
            RuleModule(r.meta, r.documentation, check if r.meta.code == code else r.check)
            for r in iptlint.linter.run.rules()
        ]
        monkeypatch.setattr(iptlint.linter.run, "rules", lambda: tuple(rules))

    return replace_check


def raising(error: BaseException) -> Check:
    def check(context: Context) -> Iterator[Finding]:
        span = context.rulesets[0].source.line_span(1)
        yield rule_of("IPT601").meta.finding(span, "found before the crash")
        raise error

    return check


class Panic(BaseException):
    """As a panic of the Rust core arrives."""


@pytest.mark.parametrize("error", [KeyError("INPUT"), RecursionError("deep"), Panic("index")])
def test_a_rule_that_crashes_is_a_finding(
    replace: Callable[[str, Check], None], error: BaseException
) -> None:
    replace("IPT601", raising(error))
    result = report(OPEN, select=["IPT601", "IPT002"])
    assert result.crashed
    assert codes(result) == ["IPT009", "IPT601", "IPT002"]
    assert result.findings[0].message == f"IPT601 failed: {type(error).__name__}: {error}"


def test_running_out_of_room_is_no_crash(replace: Callable[[str, Check], None]) -> None:
    replace("IPT601", raising(DDMemoryError()))
    result = report(OPEN, select=["IPT601"])
    assert not result.crashed
    assert "IPT601 did not look at everything" in result.findings[0].message


def test_an_interrupt_is_no_crash(replace: Callable[[str, Check], None]) -> None:
    replace("IPT601", raising(KeyboardInterrupt()))
    with pytest.raises(KeyboardInterrupt):
        report(OPEN)


def test_a_reader_that_crashes_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    def read(*_: object) -> None:
        raise IndexError("out of range")

    monkeypatch.setattr(iptlint.linter.collect, "read", read)
    result = report(OPEN)
    assert result.crashed
    assert [f.message for f in result.findings] == [
        "reading the file failed: IndexError: out of range"
    ]


def test_a_file_over_the_limit_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("iptlint.dialects.readers.MAX_BYTES", 10)
    assert codes(report(OPEN)) == ["IPT010"]
    assert decode.MAX_BYTES > 10


@pytest.mark.parametrize(
    "line",
    [
        "-A INPUT -p tcp --dprt 22 -j ACCEPT",
        "-A INPUT -p tcp --dport ssssh -j ACCEPT",
        "-I INPUT 1 -p tcp -m tcp --dport 22 -j ACCEPT oops",
    ],
)
def test_nothing_is_missed_where_a_rule_could_not_be_read(line: str) -> None:
    """It may have been the one that lets SSH in."""
    whole = "*filter\n:INPUT DROP [0:0]\n-A INPUT -i lo -j ACCEPT\nCOMMIT\n"
    for text, codes in ((whole, ["IPT301"]), (whole.replace("COMMIT", f"{line}\nCOMMIT"), [])):
        findings = lint([SourceFile("rules.v4", text)], select=["IPT301"]).findings
        assert [f.code for f in findings if f.code != "IPT001"] == codes


def test_rules_are_not_moved_past_one_that_could_not_be_read() -> None:
    drops = [f"-A INPUT -s 192.0.2.{n} -j DROP" for n in range(20)]
    for between, codes in (([], ["IPT501"]), (["-A INPUT -m mac --mac-source XX -j ACCEPT"], [])):
        lines = ["*filter", *drops[:5], *between, *drops[5:10], *between, *drops[10:12], "COMMIT"]
        source = SourceFile("rules.v4", "\n".join([*lines, ""]))
        findings = lint([source], select=["IPT501"]).findings
        assert [f.code for f in findings if f.code != "IPT001"] == codes
