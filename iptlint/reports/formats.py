"""The formats that ``check`` answers in: a row each, and a file each in this room."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from iptlint.linter.report import Report


@dataclass(frozen=True, slots=True)
class Look:
    """How text for people looks: whether it has colours, and how wide it may be. ``quiet``: the
    findings and nothing else. ``statistics``: how many of each code, in place of the findings.
    ``links``: a code leads to its rule's page."""

    colour: bool = False
    columns: int = 160
    quiet: bool = False
    statistics: bool = False
    links: bool = False


PLAIN = Look()


@dataclass(frozen=True, slots=True)
class Format:
    """``function`` of ``module`` writes it: of a report, and, where it is for people, of how that
    looks. Modules are imported when they are asked for. ``overview``: the report is to have one."""

    module: str
    function: str
    purpose: str
    for_people: bool = False
    overview: bool = False


FORMATS: Mapping[str, Format] = {
    "text": Format("text", "text_report", "for people, with the lines", for_people=True),
    "concise": Format("concise", "concise_report", "a line for each finding", for_people=True),
    "grouped": Format("grouped", "grouped_report", "the findings of a file together", True),
    "json": Format("json_report", "json_report", "for programs, a contract"),
    "json-lines": Format("json_lines", "json_lines_report", "the same, a line for each finding"),
    "sarif": Format("sarif", "sarif_report", "SARIF 2.1.0, as code scanning of GitHub takes it"),
    "github": Format("github", "github_report", "annotations of a GitHub workflow"),
    "gitlab": Format("gitlab", "gitlab_report", "a code quality report of GitLab"),
    "junit": Format("junit", "junit_report", "a test case for each finding"),
    "checkstyle": Format("checkstyle", "checkstyle_report", "XML of checkstyle"),
    "markdown": Format("markdown", "markdown_report", "a comment on a pull request"),
    "csv": Format("csv_report", "csv_report", "a table for a spreadsheet"),
    "html": Format("html.page", "html_report", "a page to read, search and print", overview=True),
}


_STATISTICS = Format("statistics", "statistics_report", "how many of each code", for_people=True)


def written(name: str, report: Report, look: Look = PLAIN) -> str:
    """The report in the format of that name."""
    chosen = FORMATS[name]
    if chosen.for_people and look.statistics:
        chosen = _STATISTICS
    module = import_module(f"iptlint.reports.{chosen.module}")
    write: Callable[..., Any] = getattr(module, chosen.function)
    return str(write(report, look) if chosen.for_people else write(report))
