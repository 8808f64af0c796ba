"""Tree to model: carries the lines out as `ipset restore` does.

What is in the sets after the last line is what rules test. A line that is refused is a
diagnostic; the set it was about is then not exactly known, and no claim rests on it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from iptlint.dialects.diagnostics import Diagnostic, InvalidValueError, SyntaxDiagnostic
from iptlint.dialects.ipset.diagnostics import IpsetDiagnostics
from iptlint.dialects.ipset.open_set import OpenSet
from iptlint.dialects.ipset.options import GivenOptions, form_of, read_extras, read_options
from iptlint.dialects.ipset.syntax import IPSET
from iptlint.dialects.ipset.tree import Command, CommandLine, IpsetFile
from iptlint.dialects.ipset.types import BY_NAME, CREATE_OPTIONS, MAX_NAME
from iptlint.dialects.ipset.values import Form, Unknown, entries
from iptlint.model.sets import Entry, Extras, Member, SavedSets
from iptlint.source import WholeOrigin


def lower(files: Sequence[IpsetFile]) -> tuple[SavedSets, tuple[Diagnostic, ...]]:
    """The sets after the files, one after the other, and what is wrong in them."""
    sets: dict[str, OpenSet] = {}
    diagnostics: list[Diagnostic] = []
    for file in files:
        of_file = IpsetDiagnostics(file.source)
        _Execution(file, sets, of_file).run()
        diagnostics += of_file.sorted()
    contents = {name: each.finished() for name, each in sets.items()}
    return SavedSets(contents, IPSET), tuple(diagnostics)


class _Execution:
    def __init__(
        self, file: IpsetFile, sets: dict[str, OpenSet], diagnostics: IpsetDiagnostics
    ) -> None:
        self.file = file
        self.sets = sets
        self.diagnostics = diagnostics

    def run(self) -> None:
        tree = self.file
        lines: Sequence[CommandLine | SyntaxDiagnostic] = tree.lines
        if tree.diagnostics:
            lines = sorted((*tree.lines, *tree.diagnostics), key=lambda line: line.start)
        for line in lines:
            match line:
                case CommandLine():
                    _COMMANDS[line.command](self, line)
                case SyntaxDiagnostic():
                    self._broken(line)

    def _broken(self, diagnostic: SyntaxDiagnostic) -> None:
        self.diagnostics.syntax(diagnostic)
        if diagnostic.set is not None:
            self._set(diagnostic.set, diagnostic.start, diagnostic.end).exact = False

    def _set(self, name: str, start: int, end: int) -> OpenSet:
        """The set of the name; one of which nothing is known where no line creates it."""
        open_set = self.sets.get(name)
        if open_set is None:
            origin = WholeOrigin(self.file.source, start, end)
            open_set = self.sets[name] = OpenSet(name, origin, exact=False)
        return open_set

    # -- sets -----------------------------------------------------------------

    def _create(self, line: CommandLine) -> None:
        name, kind = line.words[1], BY_NAME.get(line.words[2])
        known = self.sets.get(name)
        if known is not None and known.form is not None:
            return  # it is there already, and with -exist that is no mistake
        if len(name) > MAX_NAME:
            self.diagnostics.value(
                line, 1, InvalidValueError(f"a name of at most {MAX_NAME} characters")
            )
        if kind is None:
            self._set(name, line.start, line.end).exact = False
            self.diagnostics.unknown(line, 2, "type of set", (t for t in BY_NAME if ":" in t))
            return
        options = read_options(line, 3, CREATE_OPTIONS, kind, self.diagnostics)
        fresh = OpenSet(name, WholeOrigin(self.file.source, line.start, line.end))
        self.sets[name] = fresh
        try:
            fresh.form = form_of(kind, options or GivenOptions())
        except InvalidValueError as error:
            fresh.exact = False
            self.diagnostics.value(line, _place_of_form(options, line), error)
            return
        except Unknown:
            fresh.exact = False
            return
        fresh.exact = options is not None
        fresh.timeout = None if options is None else options.number("timeout")
        fresh.created_with = frozenset(() if options is None else options.values)

    def _destroy(self, line: CommandLine) -> None:
        if len(line.words) == 1:
            self.sets.clear()
        else:
            self.sets.pop(line.words[1], None)

    def _flush(self, line: CommandLine) -> None:
        names = line.words[1:] or tuple(self.sets)
        for name in names:
            self._set(name, line.start, line.end).flush()

    def _rename(self, line: CommandLine) -> None:
        old, new = line.words[1:]
        self._set(old, line.start, line.end)
        self._called(new, self.sets.pop(old))
        self._in_lists({old: new})

    def _swap(self, line: CommandLine) -> None:
        """The names change places; a list of sets keeps the contents it points at."""
        first, second = line.words[1:]
        one = self._set(first, line.start, line.end)
        other = self._set(second, line.start, line.end)
        self._called(second, one)
        self._called(first, other)
        self._in_lists({first: second, second: first})

    def _in_lists(self, names: Mapping[str, str]) -> None:
        for each in self.sets.values():
            if each.is_list:
                each.rename_members(names)

    def _called(self, name: str, which: OpenSet) -> None:
        which.name = name
        self.sets[name] = which

    def _nothing(self, _line: CommandLine) -> None:
        """test and save change no set."""

    # -- entries --------------------------------------------------------------

    def _add(self, line: CommandLine) -> None:
        target = self._set(line.words[1], line.start, line.end)
        if target.form is None:
            return
        try:
            form, extras = target.form, target.plain
            if len(line.words) > 3:
                tail = self._tail(line, target, form)
                if tail is None:
                    target.exact = False
                    return
                form, extras = tail
            for entry in entries(line.words[2], form):
                self._no_list_in(entry)
                target.add(entry, extras)
        except InvalidValueError as error:
            target.exact = False
            self.diagnostics.value(line, 2, error)
        except Unknown:
            target.exact = False

    def _no_list_in(self, entry: Entry) -> None:
        """The kernel looks for loops by taking no list of sets into another."""
        match entry:
            case (Member(name),) if name in self.sets and self.sets[name].is_list:
                raise InvalidValueError("a set that is itself no list of sets", refused=True)

    def _tail(self, line: CommandLine, target: OpenSet, form: Form) -> tuple[Form, Extras] | None:
        tail = target.tails.get(line.words[3:])
        if tail is None:
            tail = read_extras(line, target, form, self.diagnostics)
            if tail is not None:
                target.tails[line.words[3:]] = tail
        return tail

    def _delete(self, line: CommandLine) -> None:
        target = self._set(line.words[1], line.start, line.end)
        if target.form is None:
            return
        try:
            for entry in entries(line.words[2], target.form):
                target.delete(entry)
        except InvalidValueError as error:
            target.exact = False
            self.diagnostics.value(line, 2, error)
        except Unknown:
            target.exact = False


def _place_of_form(options: GivenOptions | None, line: CommandLine) -> int:
    """The word that says what entries look like; past the last where none does."""
    words = {} if options is None else options.words
    shaping = (words[name] + 1 for name in ("range", "netmask", "bitmask") if name in words)
    return next(shaping, len(line.words))


_COMMANDS: dict[Command, Callable[[_Execution, CommandLine], None]] = {
    Command.CREATE: _Execution._create,
    Command.ADD: _Execution._add,
    Command.DEL: _Execution._delete,
    Command.TEST: _Execution._nothing,
    Command.DESTROY: _Execution._destroy,
    Command.SAVE: _Execution._nothing,
    Command.FLUSH: _Execution._flush,
    Command.RENAME: _Execution._rename,
    Command.SWAP: _Execution._swap,
}
