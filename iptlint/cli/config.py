"""``iptlint config [FILE]``: what holds for a file, and where each setting comes from."""

from __future__ import annotations

from typing import Any

import click

from iptlint.cli import check, overrides, streams
from iptlint.cli.configuration import configuration
from iptlint.cli.settings import configured, keys, kind_of, settled
from iptlint.cli.shown_settings import settings_lines


@click.command(name="config", options_metavar="[OPTION…]")
@click.argument("file", required=False, metavar="[FILE]")
@configured
@click.option("--schema", is_flag=True, help="Print a JSON Schema of the configuration instead.")
def command(file: str | None, config: str | None, isolated: bool, schema: bool) -> int:
    """Say how FILE would be checked: every setting, and where it comes from."""
    if schema:
        from iptlint.reports.json_report import dumps

        streams.write_utf8(dumps(_schema()))
        return 0
    chosen = None if isolated and config is None else configuration(config, [file] if file else [])
    said = settled(check.command, chosen)
    for line in settings_lines(said, check.command, file):
        streams.write(streams.printable(line) + "\n")
    return 0


def _schema() -> dict[str, Any]:
    properties: dict[str, Any] = {}
    for key, option in keys(check.command).items():
        choices = getattr(option.type, "choices", None)
        shape = {"enum": [*choices]} if choices else dict(kind_of(option).schema)
        properties[key] = {"description": option.help, **shape}
    override = {
        "type": "object",
        "properties": dict(overrides.SCHEMA),
        "required": ["files"],
        "additionalProperties": False,
    }
    properties[overrides.SEVERITY] = dict(overrides.SCHEMA[overrides.SEVERITY])
    properties[overrides.KEY] = {"type": "array", "items": override}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "The configuration of iptlint: .iptlint.toml, or [tool.iptlint] in pyproject.toml",
        "type": "object",
        "properties": properties,
        "additionalProperties": False,
    }
