"""A ruleset in plain sentences, for people and for programs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from iptlint.model import IP_VERSIONS
from iptlint.policy.explanation import Explanation, Sentence
from iptlint.policy.whole import lines
from iptlint.reports import markup
from iptlint.reports.json_report import VERSION, dumps
from iptlint.reports.safe import wrapped
from iptlint.source import Span


def explanation_text(explanations: Sequence[Explanation], columns: int = 80) -> str:
    """The whole first, then chain by chain."""
    return "".join(f"{line}\n" for line in _all(explanations, columns)).lstrip("\n")


def _all(explanations: Sequence[Explanation], columns: int) -> Iterator[str]:
    for each in explanations:
        if len(explanations) > 1:
            yield from ("", *wrapped(f"== {each.host}", columns))
        for whole in each.whole:
            yield ""
            if whole.family is not None:
                yield f"Over {IP_VERSIONS[whole.family]}"
            for sentence in whole.sentences:
                yield from _sentence(sentence, columns, "")
        for chain in each.chains:
            yield ""
            yield from wrapped(f"{chain.title} (line {chain.place.line})", columns, "  ")
            for sentence in chain.sentences:
                yield from _sentence(sentence, columns, "  ")
        yield from (line for note in each.notes for line in ("", *wrapped(note, columns)))


def _sentence(sentence: Sentence, columns: int, indent: str) -> Iterator[str]:
    for line in wrapped(_with_lines(sentence), columns - len(indent), "  "):
        yield indent + line
    for point in sentence.points:
        first, *rest = wrapped(_with_lines(point), columns - len(indent) - 4)
        yield f"{indent}  - {first}"
        yield from (f"{indent}    {line}" for line in rest)


def _with_lines(sentence: Sentence) -> str:
    where = lines(sentence.places)
    return f"{sentence.text} ({where})" if where else sentence.text


def explanation_markdown(explanations: Sequence[Explanation]) -> str:
    """Headings and lists; what files hold is text."""
    return "".join(f"{line}\n" for line in _markdown(explanations)).lstrip("\n")


def _markdown(explanations: Sequence[Explanation]) -> Iterator[str]:
    for each in explanations:
        yield from ("", f"## {markup.text(each.host)}")
        for whole in each.whole:
            yield ""
            if whole.family is not None:
                yield from (f"### Over {IP_VERSIONS[whole.family]}", "")
            yield from _points(whole.sentences, "")
        for chain in each.chains:
            yield from ("", f"### {markup.text(chain.title)}", "")
            yield from _points(chain.sentences, "")
        yield from (line for note in each.notes for line in ("", markup.text(note)))


def _points(sentences: Sequence[Sentence], indent: str) -> Iterator[str]:
    for sentence in sentences:
        yield f"{indent}- {markup.text(_with_lines(sentence))}"
        yield from _points(sentence.points, f"{indent}  ")


def explanation_json(explanations: Sequence[Explanation]) -> str:
    hosts = [
        {
            "host": each.host,
            "whole": [
                {
                    "family": whole.family.value if whole.family else None,
                    "sentences": [*map(_sentence_json, whole.sentences)],
                }
                for whole in each.whole
            ],
            "chains": [
                {
                    "title": chain.title,
                    **_place(chain.place),
                    "sentences": [*map(_sentence_json, chain.sentences)],
                }
                for chain in each.chains
            ],
            "notes": [*each.notes],
        }
        for each in explanations
    ]
    return dumps({"version": VERSION, "hosts": hosts})


def _sentence_json(sentence: Sentence) -> dict[str, object]:
    return {
        "text": sentence.text,
        "places": [*map(_place, sentence.places)],
        "points": [*map(_sentence_json, sentence.points)],
    }


def _place(span: Span) -> dict[str, object]:
    return {"path": span.source.path, "line": span.line}
