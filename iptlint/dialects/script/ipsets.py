"""What a script hands to ipset, and the sets that come of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from iptlint.dialects.diagnostics import Diagnostic
from iptlint.dialects.ipset.syntax import IPSET
from iptlint.dialects.script.generated_text import TextPart, text_of_parts
from iptlint.model import Ruleset
from iptlint.model.sets import SavedSets, SetContents


@dataclass(frozen=True, slots=True, eq=False)
class SetCommand:
    """A line as `ipset restore` reads it, in parts; ``doubted`` are the sets that it leaves
    with unknown contents, None all of them."""

    parts: tuple[TextPart, ...]
    doubted: tuple[str, ...] | None = ()


class SetState:
    """The sets after some commands."""

    def __init__(self, path: str, commands: tuple[SetCommand, ...] = ()) -> None:
        self.path = path
        self.commands = commands
        self._read: tuple[SavedSets, tuple[Diagnostic, ...]] | None = None

    def with_commands(self, commands: tuple[SetCommand, ...]) -> SetState:
        return SetState(self.path, (*self.commands, *commands)) if commands else self

    def diagnostics(self) -> tuple[Diagnostic, ...]:
        return self._sets()[1]

    def put_into(self, ruleset: Ruleset) -> Ruleset:
        """The ruleset, with what is in the sets in the place of the tests that name them."""
        from iptlint.dialects.ipset.inline_sets import with_changes, with_sets

        saved = self._sets()[0]
        if not saved.contents:
            return ruleset
        return with_sets(ruleset, with_changes(saved, (ruleset,)))

    def _sets(self) -> tuple[SavedSets, tuple[Diagnostic, ...]]:
        if self._read is None:
            self._read = self._made()
        return self._read

    def _made(self) -> tuple[SavedSets, tuple[Diagnostic, ...]]:
        if not self.commands:
            return SavedSets({}, IPSET), ()
        from iptlint.dialects.ipset.lower import lower
        from iptlint.dialects.ipset.parser import parse

        generated = text_of_parts(self.path, _lines(self.commands))
        saved, diagnostics = lower((parse(generated.source),))
        everything = any(command.doubted is None for command in self.commands)
        doubted = {name for command in self.commands for name in command.doubted or ()}
        contents = {
            # Who makes a set and puts nothing into it leaves that to somebody else.
            name: _inexact(each) if everything or name in doubted or not each.entries else each
            for name, each in saved.contents.items()
        }
        return SavedSets(contents, IPSET), tuple(map(generated.in_script, diagnostics))


def _lines(commands: Iterable[SetCommand]) -> Iterable[TextPart]:
    for command in commands:
        yield from command.parts
        if command.parts:
            yield TextPart("\n", command.parts[-1].span)


def _inexact(contents: SetContents) -> SetContents:
    return replace(contents, exact=False)
