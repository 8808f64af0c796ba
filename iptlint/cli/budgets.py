"""What a command that asks one question may take, and what it says where that is not enough.

`check` asks many questions and gives up one at a time; here what is cut is the answer, or the rest
of it, and the exit status is 2.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar

import click

from iptlint.cli import options, streams
from iptlint.cli.progress import Progress

if TYPE_CHECKING:
    from iptlint.linter.budget import Watch

_OF_A_FILE = tuple(options.LIMITS[name] for name in ("--timeout", "--max-memory", "--max-bytes"))
_OF_A_HOST = (
    click.option(
        "--timeout",
        type=options.Seconds(min=0.1),
        help="Seconds for each source; what is not done by then is left out. [default: no end]",
    ),
    options.LIMITS["--max-memory"],
    options.LIMITS["--max-findings"],
)

_T = TypeVar("_T")

_FIRST_WORDS = re.compile("[,;]")


class CutShortError(click.ClickException):
    """The budget was not enough; the text is a sentence that says for what."""


def _not_enough(limit: str, what: str) -> str:
    from iptlint.rules.reading import not_enough

    return not_enough(limit, what)


@dataclass(slots=True)
class Allowance:
    """What is left for the command. ``most_bytes``: no longer file is read."""

    watch: Watch
    most_bytes: int
    complaints: list[str] = field(default_factory=list)

    @contextmanager
    def for_(self, what: str, meanwhile: str = "") -> Iterator[None]:
        """While ``what`` is done, a few words behind "was not enough"; CutShortError where it is
        not. ``meanwhile``: the same for who waits; else the first of those words."""
        from iptlint.linter.budget import OverBudgetError
        from iptlint.packets.diagrams import DDMemoryError

        try:
            with self.watch.over(meanwhile or _FIRST_WORDS.split(what)[0], whole=True):
                yield
        except OverBudgetError as error:
            raise CutShortError(_not_enough(str(error), what)) from None
        except (DDMemoryError, MemoryError):
            raise CutShortError(_not_enough("the memory", what)) from None

    def as_many(self, answers: Iterable[_T], what: Callable[[int], str]) -> list[_T]:
        """Those that there is time for; ``what`` says of their number what is missing."""
        known: list[_T] = []
        try:
            with self.for_("", "to ask about every rule"):
                known.extend(answers)
        except CutShortError as error:
            self.complaints.append(f"{error.message.rstrip()}: {what(len(known))}")
        return known

    def complain(self) -> bool:
        """Tells what was cut, and whether anything was."""
        streams.complain(*self.complaints)
        return bool(self.complaints)


def limits(command: Callable[..., Any]) -> Callable[..., Any]:
    """``--timeout``, ``--max-memory`` and ``--max-bytes``, which the command gets as an
    ``Allowance``. Beside the function: other options are about what it is called with."""

    @wraps(command)
    def limited(
        *args: Any, timeout: float, max_memory: int, max_bytes: int, **arguments: Any
    ) -> Any:
        from iptlint.linter.budget import Budget, Watch

        sources = len(arguments.get("files", ("",)))
        budget = Budget(timeout, max_memory << 20)
        with Progress() as progress, Watch(budget, sources, progress.doing) as watch:
            return command(*args, allowance=Allowance(watch, max_bytes), **arguments)

    return _with(_OF_A_FILE, limited)


def host_limits(command: Callable[..., Any]) -> Callable[..., Any]:
    """The same for a host, as a ``Budget``: who asks about their own has the time it takes."""

    @wraps(command)
    def limited(
        *args: Any, timeout: float | None, max_memory: int, max_findings: int, **arguments: Any
    ) -> Any:
        from iptlint.linter.budget import Budget

        return command(*args, budget=Budget(timeout, max_memory << 20, max_findings), **arguments)

    return _with(_OF_A_HOST, limited)


def _with(
    decorators: tuple[options.Decorator, ...], command: Callable[..., Any]
) -> Callable[..., Any]:
    for decorate in reversed(decorators):
        command = decorate(command)
    return command
