"""Options that a file may give: which there are, what their values look like, and where each comes
from in the end."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import click

from iptlint.cli import overrides
from iptlint.cli.configuration import Configuration, configuration, unknown

_ONLY_TYPED = (
    "--fix",
    "--diff",
    "--unsafe-fixes",
    "--fix-only",
    "--config",
    "--isolated",
    "--help",
    "--stdin-filename",
    "--show-settings",
    "--write-baseline",
    "--jobs",
    "--cache",
    "--no-cache",
    "--watch",
)
"""What is about one call."""
_PATHS = ("ipset", "include-dir", "from", "baseline")
_OF_RULES = ("select", "ignore")

META = "iptlint.settings"
TYPED = "iptlint.typed"
"""Of the words that the command was given."""


@dataclass(frozen=True, slots=True)
class Kind:
    """How a value looks in a file: what it is, in words and as JSON Schema, whether a value is one,
    and what the command line would say."""

    words: str
    schema: Mapping[str, Any]
    accepts: Callable[[Any], bool]
    typed: Callable[[Any], Any]


def _all(check: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, list) and all(map(check, value))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_item(value: Any) -> bool:
    return isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool))


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _strings(unit: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": unit}


FLAG = Kind("true or false", {"type": "boolean"}, lambda v: isinstance(v, bool), bool)
NUMBER = Kind("a number", {"type": "number"}, _is_number, str)
TEXT = Kind("a string", {"type": "string"}, _is_text, str)
LIST = Kind(
    "a list",
    _strings({"type": ["string", "integer"]}),
    _all(_is_item),
    lambda v: ",".join(map(str, v)),
)
STRINGS = Kind("a list of strings", _strings({"type": "string"}), _all(_is_text), tuple)


def kind_of(option: click.Option) -> Kind:
    if option.is_flag:
        return FLAG
    if option.multiple:
        return STRINGS
    if option.metavar == "LIST":
        return LIST
    return NUMBER if isinstance(option.type, click.IntRange | click.FloatRange) else TEXT


def keys(command: click.Command) -> dict[str, click.Option]:
    """The options of a command that a file may give, by their names there."""
    options = (param for param in command.params if isinstance(param, click.Option))
    return {
        option.opts[0].removeprefix("--"): option
        for option in options
        if option.opts[0] not in _ONLY_TYPED
    }


@dataclass(frozen=True, slots=True)
class Settled:
    """``found``: the file, if there is one. ``defaults``: what it says, by the parameters of the
    command. ``overrides``: what it says of some files."""

    found: Configuration | None = None
    defaults: Mapping[str, Any] = field(default_factory=dict)
    overrides: tuple[overrides.Override, ...] = ()


def settled(command: click.Command, found: Configuration | None) -> Settled:
    """What a file says; UsageError, with the line, where it cannot be meant."""
    if found is None:
        return Settled()
    known, defaults = keys(command), {}
    for key, value in found.table.items():
        if key in (overrides.KEY, overrides.SEVERITY):
            continue
        if key not in known:
            raise found.refuse(key, unknown(key, [*known, overrides.KEY, overrides.SEVERITY]))
        name = known[key].name
        assert name is not None
        defaults[name] = _value(found, key, kind_of(known[key]), value)
    return Settled(found, defaults, overrides.read(found))


def _value(found: Configuration, key: str, kind: Kind, value: Any) -> Any:
    if not kind.accepts(value):
        raise found.refuse(key, f"{key} is {kind.words}")
    if key in _PATHS and isinstance(value, str):
        return found.path_in(key, value)
    if key in _PATHS:
        return tuple(found.path_in(key, each) for each in value)
    if key == "output-format" and not found.named and any(":" in each for each in value):
        raise found.refuse(
            key, "the file to write to is named on the command line, or in the file of --config"
        )
    if key in _OF_RULES:
        overrides.codes(found, key, value)
    return kind.typed(value)


class Configured(click.Command):
    """A command whose options a file may give, too. What is typed comes before what it says."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if ctx.resilient_parsing:  # a shell asks how the line may go on
            return super().parse_args(ctx, args)
        typed, _, _ = self.make_parser(ctx).parse_args(args=[*args])
        said = Settled()
        if typed.get("config") or not typed.get("isolated"):
            named = typed.get("files")
            files = [*named] if isinstance(named, list | tuple) else []
            if typed.get("config") or not _is_archive(files):
                said = settled(self, configuration(typed.get("config"), files))
        ctx.default_map = {**(ctx.default_map or {}), **said.defaults}
        ctx.meta[META] = said
        ctx.meta[TYPED] = tuple(args)
        try:
            return super().parse_args(ctx, args)
        except click.BadParameter as error:
            raise _placed(error, said) from None


def _is_archive(files: list[str]) -> bool:
    """A host of its own; nothing beside it says how it is judged."""
    return any(file.endswith((".tar.gz", ".tgz")) for file in files)


def _placed(error: click.BadParameter, said: Settled) -> click.UsageError:
    """The same, with the line of the file where that is what is wrong."""
    name = error.param.name if error.param is not None else None
    source = error.ctx.get_parameter_source(name) if error.ctx is not None and name else None
    if said.found is None or name not in said.defaults or source is not _FROM_FILE:
        return error
    key = error.param.opts[0].removeprefix("--") if error.param is not None else ""
    return said.found.refuse(key, f"{key}: {error.message}")


_FROM_FILE = click.core.ParameterSource.DEFAULT_MAP


def configured(function: Callable[..., Any]) -> Callable[..., Any]:
    """The options that say which file."""
    isolated = click.option("--isolated", is_flag=True, help="Look for no configuration.")
    return click.option(
        "--config",
        metavar="FILE",
        help="Options of the project; else the nearest .iptlint.toml, or pyproject.toml with "
        "[tool.iptlint], from the first file upward.",
    )(isolated(function))
