from __future__ import annotations

import dataclasses
import json

import pytest

from iptlint.reports.json_report import dumps, json_report
from iptlint.source import SourceFile
from tests.reports.test_text import FINDING, report

FINDING_KEYS = (
    "code name severity confidence path line column end_line end_column message help url related"
    " witness fixable fingerprint"
)
PACKET_KEYS = (
    "family hook iif oif saddr daddr proto sport dport tcp_flags icmp_type icmp_code ct_state mark"
    " conditions"
)


def test_the_keys_are_those_of_the_contract() -> None:
    answer = json.loads(json_report(report(FINDING, suppressed=2)))
    assert list(answer) == ["version", "files", "findings", "summary"]
    assert answer["version"] == 1
    assert " ".join(answer["files"][0]) == "path dialect family rules opaque notes"
    assert answer["summary"] == {"error": 0, "warning": 1, "info": 0, "suppressed": 2}
    (finding,) = answer["findings"]
    assert " ".join(finding) == FINDING_KEYS
    assert " ".join(finding["witness"]) == PACKET_KEYS
    assert " ".join(finding["related"][0]) == "path line column end_line end_column message"


def test_places_count_from_one_and_ends_are_exclusive() -> None:
    (finding,) = json.loads(json_report(report(FINDING)))["findings"]
    place = [finding[key] for key in ("path", "line", "column", "end_line", "end_column")]
    assert place == ["rules.v4", 4, 1, 4, 57]


def test_what_does_not_apply_is_null() -> None:
    bare = dataclasses.replace(FINDING, advice="", witness=None, related=())
    (finding,) = json.loads(json_report(report(bare)))["findings"]
    assert (finding["help"], finding["witness"], finding["related"]) == (None, None, [])


def test_bytes_that_are_no_text_are_replaced() -> None:
    source = SourceFile("\udcff.v4", "\udcfe\n")
    finding = dataclasses.replace(FINDING, span=source.line_span(1))
    text = json_report(report(finding))
    assert json.loads(text.encode("utf-8"))["findings"][0]["path"] == "\ufffd.v4"


def test_other_languages_are_kept() -> None:
    assert dumps("é日😀") == '"é日😀"\n'


@pytest.mark.parametrize(
    "hidden", ["\x1b", "\x7f", "\x9b", "\u202e", "\u2066", "\u2028", "\U000e0041"]
)
def test_what_a_terminal_acts_upon_is_an_escape(hidden: str) -> None:
    text = dumps({hidden: f"é{hidden}"})
    assert hidden not in text
    assert json.loads(text) == {hidden: f"é{hidden}"}
