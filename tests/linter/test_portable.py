"""A report that went through JSON says the same in every format, and nonsense is refused."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

from iptlint.dialects.decode import load
from iptlint.linter.portable import NotPortableError, packed, unpacked
from iptlint.linter.report import Report
from iptlint.linter.run import lint
from iptlint.reports.formats import FORMATS, written
from iptlint.rules.registry import Profile
from iptlint.source import SourceFile

FIXTURES = Path(__file__).parents[2] / "fixtures" / "rules"
FILES = sorted(path for path in FIXTURES.rglob("bad*") if path.suffix in (".v4", ".nft", ".sh"))
SOME = Random(13).sample(FILES, 15)
ITEMS = FIXTURES / "IPT603" / "bad.nft"


_INNER = """\
table ip t {
 chain c {
  type filter hook input priority 0
  tcp dport 22 accept
  tcp dport 22 drop
 }
}
"""


def _through_json(report: Report, sources: tuple[SourceFile, ...]) -> Report:
    return unpacked(json.loads(json.dumps(packed(report, sources))), sources)


@pytest.mark.parametrize("path", SOME, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_nothing_is_lost(path: Path) -> None:
    sources = (load(str(path)),)
    report = lint(sources, profile=Profile.STRICT)
    again = _through_json(report, sources)
    assert again.findings or not report.findings
    for name in FORMATS:
        assert written(name, again) == written(name, report), name


def test_items_of_benchmarks_are_not_lost() -> None:
    sources = (load(str(ITEMS)),)
    report = lint(sources, profile=Profile.CIS)
    again = _through_json(report, sources)
    assert again.items
    assert again.items == report.items


def test_what_was_included_goes_with_it(tmp_path: Path) -> None:
    (tmp_path / "inner.nft").write_text(_INNER)
    (tmp_path / "outer.nft").write_text(f'include "{tmp_path}/inner.nft"\n')
    sources = (load(str(tmp_path / "outer.nft")),)
    report = lint(sources)
    assert any(each.span.source.path.endswith("inner.nft") for each in report.findings)
    assert written("text", _through_json(report, sources)) == written("text", report)


def _spoilt(data: Any, draw: Random) -> Any:
    """The same with something else in one place."""
    match data:
        case dict() if data and draw.random() < 0.9:
            key = draw.choice([*data])
            if draw.random() < 0.1:
                return {other: data[other] for other in data if other != key}
            return {**data, key: _spoilt(data[key], draw)}
        case list() if data and draw.random() < 0.9:
            number = draw.randrange(len(data))
            return [*data[:number], _spoilt(data[number], draw), *data[number + 1 :]]
        case _:
            return draw.choice([None, -1, 10**9, "x", [], {}, [[]], 1.5, True, "IPT999"])


def _all_spoilt(data: Any) -> Iterator[Any]:
    draw = Random(130)
    return (_spoilt(data, draw) for _ in range(200))


def test_what_was_changed_is_refused_or_makes_a_report_that_can_be_written() -> None:
    sources = (load(str(ITEMS)), load(str(FIXTURES / "IPT101" / "bad.v4")))
    data = packed(lint(sources, profile=Profile.CIS), sources)
    refused = 0
    for spoilt in _all_spoilt(json.loads(json.dumps(data))):
        try:
            report = unpacked(spoilt, sources)
        except NotPortableError:
            refused += 1
            continue
        for name in ("text", "json", "sarif", "csv"):
            written(name, report)
    assert refused > 50
