"""What holds, a line a setting, and where each comes from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click

from iptlint.cli import overrides, streams
from iptlint.cli.settings import META, Settled, keys


def settings_lines(said: Settled, command: click.Command, file: str | None) -> Iterator[str]:
    """Of the command's options that a file may give; ``file``: what overrides say of it, too."""
    yield from _lines(said, command)
    yield from _of_file(said, file)


def show_settings(context: click.Context, file: str) -> int:
    """What holds for one call of ``check``: what was typed, what a file says, and the rest."""
    said: Settled = context.meta[META]
    typed = click.core.ParameterSource.COMMANDLINE
    by_key = keys(context.command)
    for line in settings_lines(said, context.command, file):
        key = line.partition(" = ")[0]
        name = by_key[key].name if key in by_key else None
        if name is not None and context.get_parameter_source(name) is typed:
            line = f"{key} = {_shown(context.params[name])}  # command line"
        streams.write(streams.printable(line) + "\n")
    return 0


def _lines(said: Settled, command: click.Command) -> Iterator[str]:
    chosen = said.found
    yield f"# configuration: {chosen.path if chosen else 'none'}"
    for key, option in keys(command).items():
        if chosen is not None and option.name in said.defaults:
            yield f"{key} = {_shown(chosen.table[key])}  # {chosen.path}:{chosen.line_of(key)}"
        else:
            yield f"{key} = {_shown(option.to_info_dict()['default'])}  # default"


def _of_file(said: Settled, file: str | None) -> Iterator[str]:
    """What overrides say of the file."""
    configuration = said.found
    if configuration is None or file is None:
        return
    for override in overrides.of_files(said.overrides, [file]):
        patterns = ", ".join(override.files) or "all files"
        yield f"# for {patterns}: {configuration.path}"
        for key in overrides.SCHEMA:
            value = getattr(override, key.replace("-", "_"))
            if value and key != "files":
                yield f"{key} = {_shown(value)}"


def _shown(value: Any) -> str:
    import json

    is_given = isinstance(value, str | int | float | list | tuple | dict) and value not in ("", ())
    return json.dumps(value, default=str) if is_given else "not given"
