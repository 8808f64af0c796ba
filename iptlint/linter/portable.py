"""A report as plain data, for another process or another day, and back.

Spans become numbers: which text, from where, to where. The texts that the other side has are not
among the data, those that were included are. What only a run itself asks of a finding (its causes,
what a fix may change) does not go with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, fields
from typing import Any

from iptlint.benchmark.answers import Answer, Verdict
from iptlint.benchmark.host import Tool
from iptlint.benchmark.table import ITEMS, Judged
from iptlint.findings import Confidence, Finding, Label, Severity
from iptlint.findings.fix import Fix
from iptlint.linter.report import LintedFile, Report
from iptlint.packets.packet import Packet
from iptlint.rules.registry import rule_of
from iptlint.source import Edit, SourceFile, Span

Plain = dict[str, Any]


class NotPortableError(ValueError):
    """The data are not what ``packed`` makes."""


def packed(report: Report, sources: Sequence[SourceFile]) -> Plain:
    """``sources``: those that the other side has, in an order that it knows, too."""
    return _Packing(sources).report(report)


def unpacked(data: object, sources: Sequence[SourceFile]) -> Report:
    """NotPortableError where the data are anything else than what ``packed`` makes."""
    try:
        return _Unpacking(data, sources).report(data)
    except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
        raise NotPortableError(str(error)) from None


class _Packing:
    def __init__(self, sources: Sequence[SourceFile]) -> None:
        self._known = {source: number for number, source in enumerate(sources)}
        self._texts: list[Plain] = []
        self._numbers: dict[Finding, int] = {}
        self._findings: list[Plain] = []

    def report(self, report: Report) -> Plain:
        return {
            "files": [asdict(file) for file in report.files],
            "findings": [self._finding_number(each) for each in report.findings],
            "each": [self._finding_number(each) for each in report.each],
            "hidden": [self._finding_number(each) for each in report.hidden],
            "yielded": [self._finding_number(each) for each in report.yielded],
            "suppressed": report.suppressed,
            "crashed": report.crashed,
            "unfinished": report.unfinished,
            "items": None if report.items is None else [*map(self._judged, report.items)],
            "table": self._findings,
            "texts": self._texts,
        }

    def _finding_number(self, finding: Finding) -> int:
        """Most findings are among ``each``, too, and are packed once."""
        if finding not in self._numbers:
            self._numbers[finding] = len(self._findings)
            self._findings.append(self._finding(finding))
        return self._numbers[finding]

    def _finding(self, finding: Finding) -> Plain:
        fix = finding.fix
        return {
            "code": finding.code,
            "severity": finding.severity.value,
            "span": self._span(finding.span),
            "message": finding.message,
            "advice": finding.advice,
            "related": [[self._span(label.span), label.message] for label in finding.related],
            "witness": finding.witness and asdict(finding.witness),
            "confidence": finding.confidence.value,
            "fix": fix and self._fix(fix),
            "likeness": finding.likeness,
            "name": finding.name,
            "fingerprint": finding.fingerprint,
        }

    def _fix(self, fix: Fix) -> Plain:
        edits = [[self._span(edit.span), edit.text] for edit in fix.edits]
        return {"says": fix.says, "safe": fix.safe, "edits": edits}

    def _judged(self, judged: Judged) -> Plain:
        answer = judged.answer
        return {
            "item": ITEMS.index(judged.item),
            "tool": judged.tool.value,
            "ids": [judged.item.ids.index(each) for each in judged.ids],
            "verdict": answer.verdict.value,
            "reason": answer.reason,
            "span": answer.span and self._span(answer.span),
        }

    def _span(self, span: Span) -> list[int]:
        source = span.source
        if source not in self._known:
            self._known[source] = len(self._known)
            self._texts.append({"path": source.path, "text": source.text, "marked": source.marked})
        return [self._known[source], span.start, span.end]


class _Unpacking:
    def __init__(self, data: Any, sources: Sequence[SourceFile]) -> None:
        more = [
            SourceFile(_text(each["path"]), _text(each["text"]), _flag(each["marked"]))
            for each in data["texts"]
        ]
        self._sources = (*sources, *more)
        self._table = [self._finding(each) for each in data["table"]]

    def report(self, data: Any) -> Report:
        items = data["items"]
        return Report(
            tuple(map(_file, data["files"])),
            self._findings(data["findings"]),
            _number(data["suppressed"]),
            _flag(data["crashed"]),
            None if items is None else tuple(map(self._judged, items)),
            self._findings(data["each"]),
            _flag(data["unfinished"]),
            hidden=self._findings(data["hidden"]),
            yielded=self._findings(data["yielded"]),
        )

    def _findings(self, numbers: Iterable[Any]) -> tuple[Finding, ...]:
        return tuple(self._table[_number(number)] for number in numbers)

    def _finding(self, data: Any) -> Finding:
        witness, fix = data["witness"], data["fix"]
        return Finding(
            rule_of(data["code"]).meta.code,
            Severity(data["severity"]),
            self._span(data["span"]),
            _text(data["message"]),
            _text(data["advice"]),
            tuple(Label(self._span(span), _text(said)) for span, said in data["related"]),
            None if witness is None else _packet(witness),
            Confidence(data["confidence"]),
            None if fix is None else self._fix(fix),
            _text(data["likeness"]),
            (),
            _text(data["name"]),
            _text(data["fingerprint"]),
        )

    def _fix(self, data: Any) -> Fix:
        edits = tuple(Edit(self._span(span), _text(text)) for span, text in data["edits"])
        return Fix(_text(data["says"]), edits, _flag(data["safe"]))

    def _judged(self, data: Any) -> Judged:
        item = ITEMS[_number(data["item"])]
        span = data["span"]
        return Judged(
            item,
            Tool(data["tool"]),
            tuple(item.ids[_number(number)] for number in data["ids"]),
            Answer(
                Verdict(data["verdict"]),
                _text(data["reason"]),
                None if span is None else self._span(span),
            ),
        )

    def _span(self, data: Any) -> Span:
        number, start, end = map(_number, data)
        source = self._sources[number]
        if not start <= end <= len(source.text):
            raise ValueError("a span beyond the text")
        return Span(source, start, end)


def _file(data: Mapping[str, Any]) -> LintedFile:
    family = data["family"]
    return LintedFile(
        _text(data["path"]),
        _text(data["dialect"]),
        None if family is None else _text(family),
        _number(data["rules"]),
        _number(data["opaque"]),
        tuple(map(_text, data["notes"])),
    )


def _packet(data: Mapping[str, Any]) -> Packet:
    return Packet(**{field.name: _IN_A_PACKET[field.type](data[field.name]) for field in _FIELDS})


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("a text was expected")
    return value


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise TypeError("true or false was expected")
    return value


def _number(value: object) -> int:
    """Not negative."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise TypeError("a number was expected")
    return value


def _texts(value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise TypeError("a list was expected")
    return tuple(map(_text, value))


_FIELDS = fields(Packet)
_IN_A_PACKET: Mapping[Any, Any] = {
    "str": _text,
    "str | None": lambda value: None if value is None else _text(value),
    "int | None": lambda value: None if value is None else _number(value),
    "tuple[str, ...]": _texts,
    "tuple[str, ...] | None": lambda value: None if value is None else _texts(value),
}
"""By the type that a field is written with."""
