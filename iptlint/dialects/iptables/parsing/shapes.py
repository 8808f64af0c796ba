"""What the words of a command line are: options resolved left to right, as the tool does.

Extensions come into scope as ``-m``, ``-j`` and ``-p`` load them, so what a word means
depends on those before it. The result depends on nothing that ``keys`` leaves out.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from iptlint.dialects.iptables.extensions.row import Extension
from iptlint.dialects.iptables.extensions.table import find_match, find_target, protocol_match
from iptlint.dialects.iptables.parsing.commands import (
    ANY_COMMAND,
    LISTING_ONLY,
    NOT_IN_A_TABLE,
    CommandRow,
    Entry,
    Role,
    Takes,
)
from iptlint.dialects.iptables.parsing.diagnostics import (
    ShapeDiagnostic,
    ShapeError,
    ends_the_tool,
    meant,
    shape_error,
)
from iptlint.dialects.iptables.parsing.option_arguments import Cursor, named
from iptlint.dialects.iptables.parsing.option_lookup import SHORT, KnownOption, OptionScope
from iptlint.dialects.iptables.parsing.shape_keys import names_chain
from iptlint.dialects.iptables.parsing.tree import (
    Command,
    LoadedExtension,
    Shape,
    Use,
    WordPlace,
    Words,
)
from iptlint.model import Family


def resolve(words: Words, family: Family, *, in_table: bool) -> Shape | ShapeDiagnostic:
    """The shape of a line, or why it has none. ``in_table``: as iptables-restore reads it."""
    try:
        return _Resolver(words, family, in_table).run()
    except ShapeError as refused:
        return refused.diagnostic


@dataclass(slots=True)
class _Loading:
    """A ``LoadedExtension`` while its options are collected."""

    extension: Extension | None
    name: WordPlace
    start: int
    end: int
    target: bool = False
    implicit: bool = False
    uses: list[Use] = field(default_factory=list)
    rest: list[int] = field(default_factory=list)

    def covers(self, start: int, end: int) -> None:
        if start == self.end:
            self.end = end

    def done(self) -> LoadedExtension:
        uses, rest = tuple(self.uses), tuple(self.rest)
        loaded = (self.extension, self.name, uses, rest, self.start, self.end)
        return LoadedExtension(*loaded, self.target, self.implicit)


class _Resolver:
    def __init__(self, words: Words, family: Family, in_table: bool) -> None:
        self.words = words
        self.cursor = Cursor(words)
        self.family = family
        self.in_table = in_table
        self.scope = OptionScope(family)
        self.loads: list[_Loading] = []
        self.core: list[Use] = []
        self.command: CommandRow | None = None
        self.places: dict[str, WordPlace] = {}
        self.jump_start = self.jump_end = 0
        self.goto = False
        self.counters: tuple[WordPlace, ...] = ()
        self.negation: int | None = None
        self.open: _Loading | None = None  # an unknown extension that is being given words
        self.unknown_jump: WordPlace | None = None
        self.protocol: Use | None = None
        self.protocol_tried = False

    # -- the walk -------------------------------------------------------------

    def run(self) -> Shape:
        while self.cursor.at < len(self.words):
            word = self.words[self.cursor.at]
            if word == "--":
                self._end_of_options()
            elif word.startswith("--"):
                self._long(word)
            elif word.startswith("-") and len(word) > 1:
                self._cluster(word)
            elif word == "!":
                self._negate()
            else:
                self._stray()
        return self._finish()

    def _end_of_options(self) -> None:
        self.cursor.at += 1
        if self.cursor.at < len(self.words):
            raise shape_error(
                self.cursor.at, "`{word}` comes after `--`, which ends the options", "nothing"
            )

    def _negate(self) -> None:
        if self.negation is not None:
            raise shape_error(self.cursor.at, "There are two `!` in a row", "an option after `!`")
        self.negation = self.cursor.at
        self.cursor.at += 1

    def _stray(self) -> None:
        """A word that is no option and no option's argument."""
        at = self.cursor.at
        if self.open is None:
            misplaced = at > 0 and self.words[at - 1] == "!" and self.negation is None
            hint = "Put `!` before the option: `! -s 192.0.2.1`." if misplaced else None
            raise shape_error(at, "`{word}` is not an option's argument", "an option", hint)
        self._keep(at + 1)

    def _long(self, word: str) -> None:
        name, glue, _ = word[2:].partition("=")
        glued = WordPlace(self.cursor.at, len(name) + 3) if glue else None
        start = self.cursor.at
        known = self._find(name)
        if known is None:
            self._unknown(name)
            return
        if glued and known.entry.takes is Takes.NOTHING:
            raise shape_error(start, f"{named(known.entry)} takes no argument", "no `=`")
        self.cursor.at += 1
        self._apply(known, start, glued)

    def _cluster(self, word: str) -> None:
        """``-s 192.0.2.1``, ``-s192.0.2.1``, ``-fs 192.0.2.1``."""
        start = self.cursor.at
        self.cursor.at += 1
        for offset, letter in enumerate(word[1:], start=2):
            known = SHORT.get(letter)
            if known is None:
                raise shape_error(start, "The option `{word}` is unknown", "an option of iptables")
            if known.entry.takes is not Takes.NOTHING:
                glued = WordPlace(start, offset) if offset < len(word) else None
                self._apply(known, start, glued)
                return
            self._apply(known, start, None)

    # -- which option ---------------------------------------------------------

    def _find(self, name: str) -> KnownOption | None:
        """Beside an extension nobody knows only whole names count: the rest may be its own. A
        name after -j may be a chain's, which has no options, so those of other extensions count."""
        look = self.scope.exact if self._has_unknown() else self.scope.find
        known = look(name)
        if known is None and self._load_protocol():
            known = look(name)
        if known is None and self.unknown_jump is not None:
            short = self.scope.find(name)
            known = short if short is not None and short.owner is not None else None
        return known

    def _has_unknown(self) -> bool:
        unknown = any(load.extension is None for load in self.loads)
        return unknown or self.unknown_jump is not None

    def _load_protocol(self) -> bool:
        """``-p tcp`` loads ``-m tcp`` once an option is met that nothing else has."""
        if self.protocol is None or self.protocol_tried:
            return False
        self.protocol_tried = True
        place = self.protocol.arguments[0]
        extension = protocol_match(place.text(self.words).lower(), self.family)
        if extension is None or any(extension is owner for owner in self.scope.owners):
            return False
        self.scope.load(extension)
        bounds = (self.protocol.start, self.protocol.end)
        self.loads.append(_Loading(extension, place, *bounds, implicit=True))
        return True

    def _unknown(self, name: str) -> None:
        """An option nobody has: it belongs to the last extension nobody knows."""
        if self.unknown_jump is not None:
            jump, self.unknown_jump = self.unknown_jump, None
            self.loads.append(_Loading(None, jump, self.jump_start, self.jump_end, target=True))
        owner = next((load for load in reversed(self.loads) if load.extension is None), None)
        if owner is None:
            owners = [f"`{extension.name}`" for extension in self.scope.owners]
            expected = "an option of " + " or ".join(["iptables", *owners])
            known = self.scope.names()
            hint = meant(name, known, self.family) if names_chain(name) else None
            raise shape_error(
                self.cursor.at, f"The option `{_shown(name)}` is unknown here", expected, hint
            )
        self.open = owner
        self._keep(self.cursor.at + 1)

    def _keep(self, end: int) -> None:
        """Give the words up to ``end``, and a ``!`` before them, to the unknown extension."""
        assert self.open is not None
        start = self.cursor.at if self.negation is None else self.negation
        self.open.rest.extend(range(start, end))
        self.open.covers(start, end)
        self.negation = None
        self.cursor.at = end

    # -- what it does ---------------------------------------------------------

    def _apply(self, known: KnownOption, start: int, glued: WordPlace | None) -> None:
        self.open = None
        entry = known.entry
        if self.negation is not None and not (entry.option and entry.option.invertible):
            raise shape_error(
                self.negation, f"{named(entry)} cannot be negated", "no `!` before it"
            )
        match entry.role:
            case Role.TEST:
                self._test(known, start, glued)
            case Role.COMMAND:
                self._command(entry, start, glued)
            case Role.MATCH:
                self._match(entry, start, glued)
            case Role.JUMP | Role.GOTO:
                self._jump(entry, start, glued)
            case Role.TABLE:
                self._table(entry, start, glued)
            case Role.COUNTERS:
                self._counters(entry, start, glued)
            case Role.TELL:
                raise ends_the_tool(start, entry.name, self.scope.names(), self.family)

    def _test(self, known: KnownOption, start: int, glued: WordPlace | None) -> None:
        option = known.entry.option
        assert option is not None
        first = start if self.negation is None else self.negation
        arguments = self.cursor.arguments(known.entry, option, start, glued)
        use = Use(option, self.negation is not None, arguments, first, self.cursor.at)
        self.negation = None
        uses = self.core
        if known.owner is not None:
            loading = self._instance(known.owner)
            loading.covers(first, self.cursor.at)
            uses = loading.uses
        if not option.repeatable and any(other.option is option for other in uses):
            raise shape_error(
                start, f"{named(known.entry)} is given twice", "it once", last=self.cursor.at
            )
        uses.append(use)
        if known.owner is None and option.short == "p":
            self.protocol = use

    def _instance(self, owner: Extension) -> _Loading:
        return next(load for load in reversed(self.loads) if load.extension is owner)

    def _command(self, entry: Entry, start: int, glued: WordPlace | None) -> None:
        row = entry.row
        assert row is not None
        if self.command and self.command.command not in row.beside:
            other = f"-{self.command.short}"
            raise shape_error(start, f"-{row.short} cannot go with {other}", "one command a line")
        self.command = row
        chain = self.cursor.argument(entry, start, glued)
        if chain:
            self.places["chain"] = chain
            if row.creates and chain.text(self.words).startswith(("-", "!")):
                raise shape_error(
                    chain.word, "No chain has such a name", "one without `-` or `!` first"
                )
        then = self.cursor.further() if row.then and (chain or row.chain is Takes.ONE) else None
        if then:
            self.places[str(row.then)] = then
        elif row.then_required:
            raise shape_error(
                start, f"-{row.short} is incomplete", row.then_required, last=self.cursor.at
            )

    def _match(self, entry: Entry, start: int, glued: WordPlace | None) -> None:
        name = self.cursor.required(entry, start, glued)
        extension = find_match(name.text(self.words), self.family)
        loading = _Loading(extension, name, start, self.cursor.at)
        self.loads.append(loading)
        if extension:
            self.scope.load(extension)
        else:
            self.open, self.unknown_jump = loading, None

    def _jump(self, entry: Entry, start: int, glued: WordPlace | None) -> None:
        name = self.cursor.required(entry, start, glued)
        text = name.text(self.words)
        if "jump" in self.places:
            raise shape_error(
                start, "The rule has two targets", "one -j or -g", last=self.cursor.at
            )
        if not names_chain(text):
            raise shape_error(
                name.word, "`{word}` cannot be a target's name", "a name without blanks"
            )
        self.places["jump"] = name
        self.jump_start, self.jump_end = start, self.cursor.at
        self.goto = entry.role is Role.GOTO
        extension = None if self.goto else find_target(text, self.family)
        if extension:
            self.scope.load(extension)
            self.loads.append(_Loading(extension, name, start, self.cursor.at, target=True))
        elif not self.goto:
            self.unknown_jump = name

    def _table(self, entry: Entry, start: int, glued: WordPlace | None) -> None:
        place = self.cursor.required(entry, start, glued)
        if self.in_table:
            hint = "The table is that of the last line that begins with `*`."
            raise shape_error(
                start, "-t may not stand in a table", "no -t", hint, last=self.cursor.at
            )
        self.places["table"] = place

    def _counters(self, entry: Entry, start: int, glued: WordPlace | None) -> None:
        """``-c 1 2`` or ``-c 1,2``."""
        first = self.cursor.required(entry, start, glued)
        if self.counters:
            raise shape_error(
                start, f"{named(entry)} is given twice", "it once", last=self.cursor.at
            )
        both = "," in first.text(self.words)
        second = None if both else self.cursor.further()
        if not both and second is None:
            raise shape_error(start, f"{named(entry)} lacks a number", "packets and bytes")
        self.counters = (first, second) if second else (first,)

    # -- the whole ------------------------------------------------------------

    def _finish(self) -> Shape:
        end = len(self.words)
        if self.negation is not None:
            raise shape_error(self.negation, "Nothing follows `!`", "an option", last=end)
        for loading in self.loads:
            self._check_required(loading)
        if self.command is None:
            raise shape_error(
                0, "The line has no command", "-A and a chain, or another command", last=end
            )
        self._check_command(self.command)
        return Shape(
            self.command.command,
            core=tuple(self.core),
            loads=tuple(loading.done() for loading in self.loads),
            jump_start=self.jump_start,
            goto=self.goto,
            counters=self.counters,
            valued=bool(self.counters) or "number" in self.places or self._has_unknown_target(),
            **self.places,
        )

    def _has_unknown_target(self) -> bool:
        return any(loading.target and loading.extension is None for loading in self.loads)

    def _check_required(self, loading: _Loading) -> None:
        if loading.extension is None:
            return
        given = {use.option.name for use in loading.uses}
        for option in loading.extension.options:
            if option.required and option.name not in given:
                message = f"`{loading.extension.name}` is incomplete"
                raise shape_error(loading.start, message, f"--{option.name}", last=loading.end)

    def _check_command(self, row: CommandRow) -> None:
        """Which options go with the command; by number there is nothing to test."""
        tests = row.rule and not (row.command is Command.DELETE and "number" in self.places)
        command = f"-{row.short}"
        for use in self.core:
            name = use.option.name
            allowed = name in ANY_COMMAND or (tests and name not in LISTING_ONLY)
            listing = name in LISTING_ONLY and row.command is Command.LIST
            if not (allowed or listing) or (self.in_table and name in NOT_IN_A_TABLE):
                where = "in a file" if name in NOT_IN_A_TABLE else f"with {command}"
                raise shape_error(
                    use.start, f"--{name} may not stand {where}", "no such option", last=use.end
                )
        if "jump" in self.places and not tests:
            raise shape_error(
                self.jump_start, f"{command} takes no target", "no -j", last=self.jump_end
            )
        if self.counters and not row.counters:
            raise shape_error(self.counters[0].word, f"{command} takes no counters", "no -c")


def _shown(name: str) -> str:
    """A name with a blank in it differs from line to line."""
    return f"--{name}" if names_chain(name) else "{word}"
