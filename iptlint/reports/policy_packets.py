"""What became of a table of packets."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Sequence

from iptlint.findings.phrases import counted
from iptlint.policy.batch import Told
from iptlint.reports.csv_report import cell
from iptlint.reports.json_report import VERSION, dumps
from iptlint.reports.safe import visible, wrapped

_MOST = 20


def packets_text(path: str, told: Sequence[Told], columns: int = 80) -> str:
    """Those that fare otherwise than expected, and how many of each verdict."""
    wrong = [each for each in told if each.as_expected is False]
    lines = [line for each in wrong[:_MOST] for line in wrapped(_line(path, each), columns, "  ")]
    if len(wrong) > _MOST:
        lines.append(f"and {len(wrong) - _MOST} more")
    counts = Counter(each.verdict or "no packet" for each in told)
    said = ", ".join(f"{number} {word}" for word, number in counts.most_common())
    expected = sum(each.as_expected is not None for each in told)
    unlike = f"; {len(wrong)} of {expected} otherwise than expected" if expected else ""
    return "".join(
        f"{line}\n" for line in [*lines, f"{counted(len(told), 'packet')}: {said}{unlike}"]
    )


def _line(path: str, told: Told) -> str:
    cells = told.row.cells
    packet = " ".join(f"{name} {text}" for name, text in cells.items() if text and name != "expect")
    return f"{path}:{told.row.line}: {told.verdict}, not {cells['expect']}: {packet}"


def packets_csv(header: Sequence[str], told: Sequence[Told]) -> str:
    """The table with its verdicts; a cell that would be a formula begins with an apostrophe."""
    written = io.StringIO()
    table = csv.writer(written)
    table.writerow([*header, "verdict", "as_expected"])
    for each in told:
        shown = {None: "", True: "yes", False: "no"}[each.as_expected]
        row = (each.row.cells.get(name, "") for name in header)
        table.writerow([*map(cell, row), cell(each.verdict or each.error), shown])
    return written.getvalue()


def packets_json(path: str, told: Sequence[Told]) -> str:
    counts = Counter(each.verdict for each in told if each.verdict)
    return dumps(
        {
            "version": VERSION,
            "path": path,
            "packets": [
                {
                    "line": each.row.line,
                    "verdict": each.verdict or None,
                    "as_expected": each.as_expected,
                    "error": each.error or None,
                }
                for each in told
            ],
            "summary": {
                **{visible(word): number for word, number in sorted(counts.items())},
                "unexpected": sum(each.as_expected is False for each in told),
                "errors": sum(bool(each.error) for each in told),
            },
        },
        None,
    )
