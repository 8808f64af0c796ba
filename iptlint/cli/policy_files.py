"""The test file: found, read, and what it leads to.

``iptlint.tests.toml`` is the nearest to the first file, upward to the root of the checkout. Whoever
wrote one that was found may not be whom the user trusts: it leads to no file outside of its own
directory, unless it was named.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from iptlint.cli import streams
from iptlint.cli.readings import source_of

if TYPE_CHECKING:
    from iptlint.dialects import Reader
    from iptlint.model import Ruleset
    from iptlint.policy.hosts import PolicyHost
    from iptlint.policy.tests import PolicyFile, PolicyTest, Problem
    from iptlint.source import SourceFile

_MOST_SHOWN = 20


def found_tests(named: str | None, files: Sequence[str]) -> Path:
    """The file that is named, or the nearest; UsageError where there is none."""
    from iptlint.policy.file import NAME

    if named is not None:
        return Path(named)
    start = Path.cwd() / (files[0] if files and files[0] != "-" else ".")
    folder = Path(os.path.normpath(start if start.is_dir() else start.parent))
    for each in (folder, *folder.parents):
        path = each / NAME
        if path.is_file() and path.resolve().is_relative_to(each.resolve()):
            return path
        if (each / ".git").exists():
            break
    lost = next((file for file in files if file != "-" and not Path(file).exists()), None)
    if lost is not None:
        raise click.ClickException(f"{lost}: No such file or directory")
    raise click.UsageError(
        f"there is no {NAME} beside the files or above them; name one with --tests, or write one: "
        "iptlint test --write FILE…"
    )


def shown_path(path: Path) -> str:
    """As short as it is from here."""
    relative = os.path.relpath(path)
    return relative if not relative.startswith("..") else str(path)


def read_policy(path: Path, *, named: bool, needs_tests: bool = True) -> PolicyFile:
    """A click error with all that is wrong with the file."""
    from iptlint.dialects.settings_text import MAX_SETTINGS, settings_text
    from iptlint.policy.file import read_tests
    from iptlint.policy.tests import PolicyError

    try:
        text = settings_text(str(path), MAX_SETTINGS, "utf-8-sig")
    except OSError as error:
        raise click.UsageError(f"{path}: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise click.UsageError(f"{path}: this is not UTF-8") from None

    def read_list(written: str) -> SourceFile:
        from iptlint.dialects.decode import load

        return load(str(beside(path, written, named=named)))

    try:
        return read_tests(text, shown_path(path), read_list, needs_tests=needs_tests)
    except PolicyError as error:
        raise _mistaken(path, error.problems) from None


def _mistaken(path: Path, problems: Sequence[Problem]) -> click.ClickException:
    """One in a line; several each on a line of its own."""
    if len(problems) == 1:
        return click.ClickException(str(problems[0]))
    streams.complain(*map(str, problems[:_MOST_SHOWN]))
    return click.ClickException(
        f"{shown_path(path)}: {len(problems)} mistakes, so nothing was judged"
    )


def beside(path: Path, written: str, *, named: bool) -> Path:
    """A path as the test file means it: from the directory that it lies in."""
    full = Path(os.path.normpath(path.parent / written))
    if not named and not full.resolve().is_relative_to(path.parent.resolve()):
        raise ValueError(f"it is not below {path.parent}; only a file named by --tests may say so")
    return full


def others_of(
    policy: PolicyFile, path: Path, hosts: Sequence[PolicyHost], reader: Reader, most_bytes: int
) -> Mapping[str, Ruleset]:
    """The files that `same as` names: those of the hosts themselves, or read now."""
    from iptlint.dialects import read

    own = {os.path.realpath(r.source.path): r for host in hosts for r in host.rulesets}
    others: dict[str, Ruleset] = {}
    for test in policy.tests:
        if test.other and test.other not in others:
            full = str(beside(path, test.other, named=True))
            known = own.get(os.path.realpath(full))
            others[test.other] = known or read(_read(test, full, most_bytes), reader).ruleset
    return others


def _read(test: PolicyTest, path: str, most_bytes: int) -> SourceFile:
    try:
        return source_of(path, most_bytes)
    except click.ClickException as error:
        span = test.span
        place = f"{span.source.path}:{span.line}:{span.column}"
        raise click.UsageError(f"{place}: {error.format_message()}") from None
