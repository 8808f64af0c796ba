"""``--fix`` and ``--diff`` of ``iptlint check``: edits that are proved, written or shown."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import wraps
from typing import TYPE_CHECKING, Any

import click

from iptlint.cli import FAILED, formats, options, streams
from iptlint.cli.baseline import without_known
from iptlint.cli.inputs import STDIN

if TYPE_CHECKING:
    from iptlint.cli.inputs import Inputs
    from iptlint.dialects import Reader
    from iptlint.fixes.engine import Fixed
    from iptlint.linter.report import Report
    from iptlint.source import SourceFile

    Lint = Callable[[Inputs, Inputs, Reader, options.Asked], Report]


@dataclass(frozen=True, slots=True)
class Fixing:
    """``write``: into the files; else the change is shown. ``only``: of these rules; of all that
    are selected where it is empty."""

    write: bool
    unsafe: bool
    only: tuple[str, ...]


def fix_options(command: Callable[..., int]) -> Callable[..., int]:
    """Gives the command ``fixing``: a ``Fixing``, or None where nothing is to be fixed."""

    @wraps(command)
    def packed(
        *,
        fix: bool,
        diff: bool,
        unsafe_fixes: bool,
        fix_only: tuple[str, ...],
        **more: Any,
    ) -> int:
        if (unsafe_fixes or fix_only) and not (fix or diff):
            raise click.UsageError("say --fix to write the fixes, or --diff to see them")
        fixing = Fixing(fix and not diff, unsafe_fixes, fix_only) if fix or diff else None
        return command(fixing=fixing, **more)

    packed_options: Callable[..., int] = packed
    for option in reversed(_OPTIONS):
        packed_options = option(packed_options)
    return packed_options


_OPTIONS: tuple[options.Decorator, ...] = (
    click.option("--fix", is_flag=True, help="Write what can be fixed, once it is proved."),
    click.option(
        "--diff", is_flag=True, help="Show what --fix would change, as a diff, and change nothing."
    ),
    click.option(
        "--unsafe-fixes",
        is_flag=True,
        help="Also fixes that mean to let packets fare otherwise, and those that take away what "
        "somebody may want.",
    ),
    options.comma_list("--fix-only", str, help="Fix only what these rules find."),
)


@dataclass(frozen=True, slots=True)
class _Texts:
    """``changed``: what a file held, and what it is to hold. ``new``: files that are to be made."""

    changed: tuple[tuple[SourceFile, SourceFile], ...]
    new: tuple[SourceFile, ...]

    @classmethod
    def of(cls, before: Sequence[SourceFile], fixed: Fixed) -> _Texts:
        after = (*fixed.state.sources, *fixed.state.ipsets)
        pairs = zip(before, after, strict=False)
        changed = tuple((old, new) for old, new in pairs if old is not new)
        return cls(changed, after[len(before) :])


def refuse_for_host(fixing: Fixing | None) -> None:
    if fixing is not None:
        raise click.UsageError("what is in an archive of a host cannot be fixed; name the files")


def run_fixes(
    fixing: Fixing,
    lint: Lint,
    inputs: Inputs,
    sets: Inputs,
    reader: Reader,
    asked: options.Asked,
    baseline: str | None = None,
) -> int:
    """``lint`` is that of the command itself. ``baseline``: what it holds is not told."""
    if fixing.write and any(source.path == STDIN for source in inputs.sources):
        raise click.UsageError("standard input cannot be written to: use --diff, or name the file")
    if not fixing.write and any(output.format != "text" for output in asked.outputs):
        raise click.UsageError("--diff prints a diff, and nothing else")
    fixed = _fixed(fixing, lint, inputs, sets, reader, asked)
    texts = _Texts.of((*inputs.sources, *sets.sources), fixed)
    left = (replace(inputs, sources=fixed.state.sources), replace(sets, sources=fixed.state.ipsets))
    report = lint(*left, reader, asked)
    report = without_known(report, baseline)
    if not fixing.write:
        return _shown(fixed, report, texts)
    if not _written(texts):
        return FAILED
    _publish(fixed, report, asked)
    return FAILED if report.crashed else options.failing(report, asked)


def _fixed(
    fixing: Fixing,
    lint: Lint,
    inputs: Inputs,
    sets: Inputs,
    reader: Reader,
    asked: options.Asked,
) -> Fixed:
    """What is proved is proved by all rules, whichever are selected."""
    from iptlint.fixes.engine import Allowed, fix_all
    from iptlint.fixes.proof import State
    from iptlint.linter.budget import Budget
    from iptlint.rules.registry import Profile, UnknownRuleError, selected

    try:
        codes = selected(asked.select, asked.ignore, Profile(asked.profile))
        if fixing.only:
            # One may be named that is not selected otherwise.
            codes = selected(fixing.only, asked.ignore)
        every = selected((), (), Profile(asked.profile))
    except UnknownRuleError as error:
        raise click.UsageError(str(error)) from None
    all_rules = replace(asked, select=tuple({*every, *codes}), ignore=())

    def linted(state: State) -> Report:
        texts = replace(inputs, sources=state.sources), replace(sets, sources=state.ipsets)
        return lint(*texts, reader, all_rules)

    state = State(inputs.sources, sets.sources, reader)
    return fix_all(state, linted, Allowed(codes, fixing.unsafe), asked.budget or Budget())


def _publish(fixed: Fixed, report: Report, asked: options.Asked) -> None:
    """The report of what is left, and what was done: behind it, or where programs read it, beside
    it."""
    from iptlint.reports.fixes import fixed_text, fixes_json
    from iptlint.reports.formats import FORMATS, Look
    from iptlint.reports.json_report import json_report

    def as_json(report: Report, _: Look) -> str:
        return json_report(report, {"fixes": fixes_json(fixed)})

    formats.publish(report, asked, {"json": as_json})
    printed = [FORMATS[output.format] for output in asked.outputs if output.path is None]
    to_people = all(each.for_people for each in printed)
    (streams.write if to_people else streams.say)(fixed_text(fixed, report, written=True))


def _shown(fixed: Fixed, report: Report, texts: _Texts) -> int:
    from iptlint.reports.fixes import fixed_text, unified_diff

    streams.write(unified_diff(texts.changed, texts.new))
    streams.say(fixed_text(fixed, report, written=False))
    return int(bool(texts.changed))


def _written(texts: _Texts) -> bool:
    from iptlint.fixes.write import NotWrittenError, write_all

    try:
        write_all(texts.changed, texts.new)
    except NotWrittenError as error:
        streams.complain(str(error))
        return False
    return True
