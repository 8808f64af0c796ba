"""``iptlint test --packets TABLE FILE…``: what becomes of many single packets."""

from __future__ import annotations

import sys
from typing import Any

import click

from iptlint.cli import FAILED, streams
from iptlint.cli.budgets import Allowance
from iptlint.cli.policy import hosts_of

_MOST_ERRORS = 20
_FORMATS = ("text", "csv", "json")


def judge_table(
    path: str, files: tuple[str, ...], given: dict[str, Any], allowance: Allowance
) -> int:
    """0 where all fare as expected, 1 where one does not, 2 where a row is no packet."""
    from iptlint.policy.batch import TableError, judge_packets, read_packets
    from iptlint.reports import policy_packets as report

    chosen = _format(given)
    if not files:
        raise click.UsageError("name the files of the host that the packets are sent to")
    hosts = hosts_of(files, given, allowance)
    if len(hosts.hosts) != 1:
        raise click.UsageError("--packets is for one host; name its files alone")
    try:
        header, rows = read_packets(_text(path))
    except TableError as error:
        raise click.ClickException(f"{path}:{error.line}: {error}") from None
    answered = allowance.as_many(
        judge_packets(hosts.hosts[0], rows), lambda known: f"{known} of {len(rows)} were judged"
    )
    if chosen == "csv":
        streams.write_utf8(report.packets_csv(header, answered))
    elif chosen == "json":
        streams.write_utf8(report.packets_json(path, answered))
    else:
        streams.write(report.packets_text(path, answered))
    errors = [each for each in answered if each.error]
    streams.complain(*(f"{path}:{each.row.line}: {each.error}" for each in errors[:_MOST_ERRORS]))
    if len(errors) > _MOST_ERRORS:
        streams.complain(f"and {len(errors) - _MOST_ERRORS} more rows are no packets")
    if errors or hosts.unfinished or allowance.complain():
        return FAILED
    return int(any(each.as_expected is False for each in answered))


def _format(given: dict[str, Any]) -> str:
    outputs = given["outputs"]
    name = outputs[0].format
    if len(outputs) > 1 or outputs[0].path is not None or name not in _FORMATS:
        raise click.UsageError(f"with --packets, --output-format is one of {', '.join(_FORMATS)}")
    return str(name)


def _text(path: str) -> str:
    from iptlint.dialects.decode import MAX_BYTES
    from iptlint.dialects.settings_text import settings_text

    try:
        if path == "-":
            return sys.stdin.read()
        return settings_text(path, MAX_BYTES // 2, "utf-8-sig")
    except OSError as error:
        raise click.ClickException(f"{path}: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise click.ClickException(f"{path}: this is not UTF-8") from None
