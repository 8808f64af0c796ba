"""``--baseline FILE`` and ``--write-baseline FILE``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from iptlint.cli import streams
from iptlint.cli.formats import replace_file

if TYPE_CHECKING:
    from iptlint.findings.baseline import Baseline
    from iptlint.linter.report import Report


def baselines(command: Callable[..., Any]) -> Callable[..., Any]:
    known = click.option(
        "--baseline",
        metavar="FILE",
        help="Do not show the findings in it, unless they have expired.",
    )
    write = click.option(
        "--write-baseline",
        metavar="FILE",
        help="Accept all that is found for now: write it to a baseline. What was said of findings "
        "that are still there is kept.",
    )
    return known(write(command))


def without_known(report: Report, path: str | None) -> Report:
    """The report without what the baseline hides today."""
    if path is None:
        return report
    from datetime import date

    from iptlint.findings.baseline import sifted
    from iptlint.linter.publish import as_shown

    baseline, today = _read(path), date.today()
    speaking, hidden = sifted(baseline, report.each, today)
    if expired := baseline.expired_on(today):
        streams.complain(f"{path}: {_have_expired(expired)}")
    return replace(
        report,
        findings=as_shown(speaking),
        each=speaking,
        suppressed=report.suppressed + len(hidden),
        hidden=(*report.hidden, *hidden),
    )


def unfixed(report: Report, path: str | None) -> Report:
    """The report in which nothing that the baseline hides today has a fix: it was accepted as it
    is."""
    if path is None:
        return report
    from datetime import date

    from iptlint.findings.baseline import sifted

    _, hidden = sifted(_read(path), report.each, date.today())
    known = {*hidden}
    return replace(
        report, each=tuple(replace(f, fix=None) if f in known else f for f in report.each)
    )


def write(report: Report, path: str, known: str | None) -> int:
    """Keeps what people wrote in the file before, or in the one of ``--baseline``."""
    from datetime import date

    from iptlint.findings.baseline import EMPTY
    from iptlint.reports.json_report import dumps

    before = known if known is not None else path if Path(path).exists() else None
    baseline = (EMPTY if before is None else _read(before)).again(report.each)
    try:
        replace_file(Path(path), dumps(baseline.as_json()).encode())
    except OSError as error:
        raise click.ClickException(f"cannot write {path}: {error.strerror or error}") from None
    number, expired = len(baseline.accepted), baseline.expired_on(date.today())
    noun = "finding" if number == 1 else "findings"
    but = f", but not what is out of date: {_have_expired(expired)}" if expired else ""
    said = f"wrote {path}: {number} {noun}; --baseline {path} hides them{but}"
    streams.write(streams.printable(said) + "\n")
    return 0


def _have_expired(number: int) -> str:
    return "1 finding has expired" if number == 1 else f"{number} findings have expired"


def _read(path: str) -> Baseline:
    import json

    from iptlint.dialects.decode import MAX_BYTES
    from iptlint.dialects.settings_text import settings_text
    from iptlint.findings.baseline import BaselineError, baseline_of

    try:
        return baseline_of(json.loads(settings_text(path, MAX_BYTES // 2)))
    except OSError as error:
        raise click.UsageError(f"{path}: {error.strerror or error}") from None
    except BaselineError as error:
        raise click.UsageError(f"{path}: {error}") from None
    except (ValueError, RecursionError):
        raise click.UsageError(f"{path}: this is not JSON") from None
