"""Who reaches which service, as a table of a page shows it."""

from __future__ import annotations

from dataclasses import dataclass

from iptlint.policy.matrix import Cell, Matrix
from iptlint.reports.matrix import details, word


@dataclass(frozen=True, slots=True)
class ShownCell:
    """``kind``: what decides of its colour."""

    word: str
    told: str
    kind: str


@dataclass(frozen=True, slots=True)
class MatrixView:
    """``host``: its name, with a table of rows; where there is none, ``missing`` says why."""

    host: str
    heads: tuple[str, ...] = ()
    rows: tuple[tuple[str, tuple[ShownCell, ...]], ...] = ()
    notes: tuple[str, ...] = ()
    missing: str = ""


def matrix_table(host: str, matrix: Matrix) -> MatrixView:
    rows = tuple(
        (row.zone.name, tuple(_shown_cell(cell, len(matrix.hosts)) for cell in row.cells))
        for row in matrix.rows
    )
    return MatrixView(host, tuple(each.name for each in matrix.services), rows, matrix.notes)


def _shown_cell(cell: Cell, hosts: int) -> ShownCell:
    access = cell.access.value if cell.access else ""
    return ShownCell(word(cell), details(cell, hosts), "differs" if cell.differs else access)
