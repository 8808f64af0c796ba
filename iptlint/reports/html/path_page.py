"""The way to a machine in a cloud as a page of its own: what comes of it, then layer by layer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from iptlint.analysis.cloud_path import CloudPath, Passing, Row
from iptlint.reports.html.environment import rendered
from iptlint.reports.path import conclusion, question_text, reasons
from iptlint.reports.path_matrix import PathMatrix, services

_TONES = {
    Passing.PASSES: "pass",
    Passing.STOPS: "fail",
    Passing.PARTLY: "cannot-tell",
    Passing.UNSURE: "cannot-tell",
}


@dataclass(frozen=True, slots=True)
class LayerView:
    """``reasons``: who lets packets pass and who does not, each with where it is written."""

    name: str
    passing: str
    tone: str
    reasons: tuple[tuple[str, str], ...]
    is_first_stop: bool


@dataclass(frozen=True, slots=True)
class PathView:
    """``answer``: what comes of it, ``details`` the rest that there is to say."""

    question: str
    tone: str
    answer: str
    details: tuple[str, ...]
    layers: tuple[LayerView, ...]
    notes: tuple[str, ...]


def path_html(paths: Sequence[CloudPath]) -> str:
    return rendered("path.html", title="The way of connections", paths=[*map(_view, paths)])


def path_matrix_html(matrices: Sequence[PathMatrix]) -> str:
    views = [
        (question_text(each.path.question), services(each), each.path.notes) for each in matrices
    ]
    return rendered("path_matrix.html", title="Who gets through each layer", matrices=views)


def _view(path: CloudPath) -> PathView:
    answer, *details = (text.strip() for text in conclusion(path))
    tone = "good" if path.works else "bad" if not path.may.satisfiable() else "open"
    layers = tuple(_layer(path, row) for row in path.rows)
    return PathView(
        question_text(path.question), tone, answer, tuple(details), layers, tuple(path.notes)
    )


def _layer(path: CloudPath, row: Row) -> LayerView:
    passing = row.passing
    return LayerView(
        row.layer.kind.value,
        "not reached" if passing is Passing.NOTHING else passing.value.lower(),
        _TONES.get(passing, ""),
        tuple(reasons(path, row)),
        row is path.stopped_at,
    )
