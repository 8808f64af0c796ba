"""What cannot be proved is not written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from iptlint.dialects import Reader
from iptlint.findings import Confidence, Finding, Severity
from iptlint.findings.fix import Change, Fix
from iptlint.fixes.engine import Allowed, Fixed, Refused, fix_all
from iptlint.fixes.proof import Attempt, State, finding_objection, meaning_objection
from iptlint.linter.budget import Budget
from iptlint.linter.report import Report
from iptlint.linter.run import lint
from iptlint.model import Field, Hook, VerdictKind, Within
from iptlint.reports.fixes import fixed_text
from iptlint.source import Edit, SourceFile, Span, edited

HOST = """\
*nat
:PREROUTING ACCEPT [0:0]
-A PREROUTING -p tcp -m tcp --dport 80 -j DNAT --to-destination 192.168.1.10
COMMIT
*filter
:INPUT DROP [0:0]
:FORWARD ACCEPT [0:0]
:unused - [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT
-A INPUT -s 10.0.0.0/8 -p tcp -m tcp --dport 22 -j ACCEPT
-A INPUT -d 192.168.1.10 -j ACCEPT
-A INPUT -m limit --limit 5/sec -j ACCEPT
-A unused -p tcp -m tcp --dport 22 -j ACCEPT
COMMIT
"""
SSH, COPY, TRANSLATED, LIMITED, UNUSED = (
    "-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT\n",
    "-A INPUT -s 10.0.0.0/8 -p tcp -m tcp --dport 22 -j ACCEPT\n",
    "-A INPUT -d 192.168.1.10 -j ACCEPT\n",
    "-A INPUT -m limit --limit 5/sec -j ACCEPT\n",
    "-A unused -p tcp -m tcp --dport 22 -j ACCEPT\n",
)


def attempt(source: SourceFile, piece: str, text: str, change: Change | None = None) -> Attempt:
    start = source.text.index(piece)
    span = Span(source, start, start + len(piece))
    finding = Finding("IPT999", Severity.INFO, span, "", confidence=Confidence.CERTAIN)
    return Attempt(
        finding, Fix("write it otherwise", (Edit(span, text),), changes=(change,) if change else ())
    )


def objection(piece: str, text: str, change: Change | None = None, host: str = HOST) -> str | None:
    source = SourceFile("rules.v4", host)
    tried = attempt(source, piece, text, change)
    new = edited(source, tried.fix.edits)
    old_state, new_state = (State((each,), (), Reader()) for each in (source, new))
    return meaning_objection(old_state, new_state, [tried])


def test_a_rule_that_changes_nothing_may_go() -> None:
    assert objection(COPY, "") is None


@pytest.mark.parametrize(
    ("piece", "text", "why"),
    [
        (SSH, "", "packets would fare otherwise"),
        (SSH, SSH.replace("22", "23"), "packets would fare otherwise"),
        (SSH, "-A INPUT -p tcp --dprot 22 -j ACCEPT\n", "the new text could not be read"),
        (SSH, SSH + "-A INPUT -j nowhere\n", ""),
        (LIMITED, "", "packets would fare otherwise"),
        (UNUSED, "", "no hook leads to the chain unused"),
    ],
)
def test_what_would_change_something_is_refused(piece: str, text: str, why: str) -> None:
    said = objection(piece, text)
    assert said is not None
    assert why in said


NFT = """\
table inet filter {
    set banned {
        type ipv4_addr
        flags interval
        elements = { 10.0.0.0/8 }
    }
    chain input {
        type filter hook input priority 0; policy drop;
        ip saddr @banned drop
    }
}
"""


def test_what_the_kernel_would_refuse_is_refused() -> None:
    """The elements hold the same packets, and the kernel takes no two that overlap."""
    said = objection("10.0.0.0/8", "10.0.0.0/8, 10.1.0.0/16", host=NFT)
    assert said is not None
    assert "the new text would not be loaded" in said


def test_where_translation_sends_packets_may_be_the_host_itself() -> None:
    """Whether the rule takes packets depends on whose address that is; both are asked."""
    said = objection(TRANSLATED, "")
    assert said is not None
    assert "packets would fare otherwise" in said


def test_a_chain_that_goes_as_a_whole_needs_no_hook() -> None:
    host = HOST.replace(":unused - [0:0]\n", "").replace(UNUSED, f":unused - [0:0]\n{UNUSED}")
    assert objection(f":unused - [0:0]\n{UNUSED}", "", host=host) is None


ACCEPT_WEB = "-A INPUT -p tcp -m tcp --dport 443 -j ACCEPT\n"
WEB = (Within(Field.PROTO, ((6, 6),)), Within(Field.DPORT, ((443, 443),)))


def test_a_change_is_what_was_meant() -> None:
    change = Change(VerdictKind.ACCEPT, (Hook.INPUT,), (WEB,))
    host = HOST.replace(LIMITED, "")
    assert objection(SSH, SSH + ACCEPT_WEB, change, host) is None


@pytest.mark.parametrize(
    "change",
    [
        Change(VerdictKind.DROP, (Hook.INPUT,), (WEB,)),
        Change(VerdictKind.ACCEPT, (Hook.FORWARD,), (WEB,)),
        Change(VerdictKind.ACCEPT, (Hook.INPUT,), ((*WEB[:1], Within(Field.DPORT, ((80, 80),))),)),
    ],
)
def test_any_other_change_is_refused(change: Change) -> None:
    said = objection(SSH, SSH + ACCEPT_WEB, change, HOST.replace(LIMITED, ""))
    assert said is not None
    assert "packets would fare otherwise" in said


def test_a_change_that_changes_nothing_is_refused() -> None:
    change = Change(VerdictKind.ACCEPT, (Hook.INPUT,), (WEB,))
    assert objection(COPY, "", change) == "no packet would fare otherwise"


# -- findings ---------------------------------------------------------------------------------


def report(*findings: Finding, crashed: bool = False, yielded: tuple[Finding, ...] = ()) -> Report:
    return Report((), findings, 0, crashed, each=findings, yielded=yielded)


def finding(code: str, line: str, severity: Severity = Severity.WARNING) -> Finding:
    source = SourceFile("rules.v4", f"{line}\n")
    return Finding(code, severity, source.line_span(1), "")


def test_the_finding_has_to_be_gone() -> None:
    one, other = finding("IPT106", "-A INPUT -j LOG"), finding("IPT106", "-A INPUT -j DROP")
    tried = [Attempt(one, Fix("delete it", ()))]
    assert finding_objection(report(one, other), report(other), tried) is None
    assert finding_objection(report(one, other), report(one), tried) is not None
    more = finding("IPT106", "-A OUTPUT -j DROP")
    # What only takes away comes to an end; what is written anew might go round and round.
    assert finding_objection(report(one, other), report(other, more), tried) is None
    written = [Attempt(one, Fix("write it otherwise", (Edit(one.span, "-A INPUT -j LOG"),)))]
    said = finding_objection(report(one, other), report(other, more), written)
    assert said == "it would bring another finding of its kind"


def test_no_error_may_be_new() -> None:
    one = finding("IPT106", "-A INPUT -j LOG")
    lockout = finding("IPT301", ":INPUT DROP [0:0]", Severity.ERROR)
    tried = [Attempt(one, Fix("delete it", ()))]
    said = finding_objection(report(one), report(lockout), tried)
    assert said == "it would bring a new error: IPT301"
    assert finding_objection(report(one, lockout), report(lockout), tried) is None


def test_no_warning_may_be_new() -> None:
    one, open_ = finding("IPT106", "-A INPUT -j LOG"), finding("IPT601", ":INPUT ACCEPT [0:0]")
    tried = [Attempt(one, Fix("delete it", ()))]
    said = finding_objection(report(one), report(open_), tried)
    assert said == "it would bring a new warning: IPT601"
    graver = finding("IPT601", ":INPUT ACCEPT [0:0]", Severity.ERROR)
    assert finding_objection(report(one, graver), report(open_), tried) is None


def test_a_fix_may_lead_to_a_warning_and_never_to_an_error() -> None:
    one = finding("IPT304", "iptables -F", Severity.ERROR)
    tried = [Attempt(one, Fix("open it", (), leads_to=("IPT601",)))]
    for severity, said in (
        (Severity.WARNING, None),
        (Severity.ERROR, "it would bring a new error: IPT601"),
    ):
        open_ = finding("IPT601", ":INPUT ACCEPT [0:0]", severity)
        assert finding_objection(report(one), report(open_), tried) == said


def test_what_another_finding_was_told_for_is_not_new() -> None:
    one, masked = (finding(code, "-A INPUT -j DROP") for code in ("IPT702", "IPT703"))
    tried = [Attempt(one, Fix("delete it", ()))]
    assert finding_objection(report(one, yielded=(masked,)), report(masked), tried) is None


# -- the whole --------------------------------------------------------------------------------


def linted(state: State) -> Report:
    return lint(state.sources)


def fixed(*texts: str, codes: tuple[str, ...], unsafe: bool = False) -> Fixed:
    sources = tuple(SourceFile(f"rules{n}.v4", text) for n, text in enumerate(texts))
    state = State(sources, (), Reader())
    return fix_all(state, linted, Allowed(codes, unsafe), Budget())


COPIES = """\
*filter
:INPUT DROP [0:0]
-A INPUT -s 192.0.2.0/24 -p tcp -m tcp --dport 22 -j ACCEPT
# the second one
-A INPUT -s 192.0.2.0/24 -p tcp -m tcp --dport 22 -j ACCEPT
-A INPUT -s 192.0.2.0/25 -p tcp -m tcp --dport 22 -j ACCEPT
COMMIT
"""


def test_fixes_are_applied_one_on_the_result_of_the_other() -> None:
    done = fixed(COPIES, codes=("IPT102", "IPT106"))
    assert [each.finding.code for each in done.applied] == ["IPT106", "IPT102"]
    assert done.refused == ()
    (source,) = done.state.sources
    assert source.text == (
        "*filter\n:INPUT DROP [0:0]\n"
        "-A INPUT -s 192.0.2.0/24 -p tcp -m tcp --dport 22 -j ACCEPT\n"
        "# the second one\nCOMMIT\n"
    )


def test_only_what_is_asked_for_is_fixed() -> None:
    assert [a.finding.code for a in fixed(COPIES, codes=("IPT106",)).applied] == ["IPT106"]
    dead = COPIES.replace("/25 -p tcp -m tcp --dport 22 -j ACCEPT", "/25 -j DROP").replace(
        "-A INPUT -s 192.0.2.0/24 -p tcp -m tcp --dport 22 -j", "-A INPUT -s 192.0.2.0/24 -j"
    )
    assert fixed(dead, codes=("IPT101",)).applied == ()


MUTUAL = """\
*filter
:INPUT DROP [0:0]
-A INPUT -s 192.0.2.0/24 -p tcp -m tcp --dport 22 -j ACCEPT
-A INPUT -s 192.0.2.0/25 -j ACCEPT
-A INPUT -s 192.0.2.128/25 -j ACCEPT
COMMIT
"""


def test_a_text_stays_where_nothing_can_be_fixed() -> None:
    done = fixed(MUTUAL.replace("-s 192.0.2.128/25 -j", "-s 192.0.2.128/26 -j"), codes=("IPT102",))
    assert done.applied == ()
    assert done.state.sources[0].text.count("-A INPUT") == 3


def test_what_another_file_draws_in_is_left_alone(tmp_path: Path) -> None:
    part = tmp_path / "part.nft"
    part.write_text(
        "table ip filter {\n chain input {\n  type filter hook input priority 0; policy drop;\n"
        "  tcp dport 22 accept\n  tcp dport 22 accept\n }\n}\n"
    )
    whole = tmp_path / "nftables.conf"
    whole.write_text(f'include "{part}"\n')
    sources = tuple(SourceFile(str(path), path.read_text()) for path in (whole, part))
    for given, why in ((sources, "another file has"), (sources[:1], "is not one of the files")):
        done = fix_all(State(given, (), Reader()), linted, Allowed(("IPT106",)), Budget())
        assert done.applied == ()
        assert {why in each.why for each in done.refused} == {True}


def test_time_that_is_over_is_said() -> None:
    source = SourceFile("rules.v4", COPIES)
    late: Callable[..., Fixed] = fix_all
    done = late(State((source,), (), Reader()), linted, Allowed(("IPT106",)), Budget(seconds=1e-9))
    assert done.applied == ()
    assert [each.why for each in done.refused] == [
        "the time of 1e-09 s a file (--timeout) was not enough"
    ]


def test_what_nobody_had_time_to_try_is_told_once() -> None:
    source = SourceFile("rules.v4", HOST)
    refused = tuple(
        Refused(attempt(source, piece, ""), "the time was not enough", tried=tried)
        for piece, tried in ((SSH, False), (LIMITED, False), (COPY, True))
    )
    state = State((source,), (), Reader())
    text = fixed_text(Fixed(state, (), refused), linted(state), written=True)
    assert text.splitlines()[:2] == [
        "not fixed: rules.v4:11: IPT999: write it otherwise: the time was not enough",
        "not fixed: 2 findings, of IPT999: the time was not enough",
    ]
