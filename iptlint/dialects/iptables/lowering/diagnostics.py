"""What is said about lines that the tool or the kernel refuses."""

from __future__ import annotations

from iptlint.dialects.diagnostics import Diagnostic, InvalidValueError, SyntaxDiagnostic
from iptlint.dialects.iptables.extensions.table import find_target
from iptlint.dialects.iptables.lowering.origins import cell_span, use_span
from iptlint.dialects.iptables.lowering.parts import Cell, InvalidPart, Plan
from iptlint.dialects.iptables.lowering.tables import (
    BUILT_IN,
    HOOK_NAMES,
    OpenTable,
    RestrictedExtension,
)
from iptlint.dialects.iptables.parsing.tree import (
    ChainLine,
    Command,
    CommandLine,
    SaveFile,
    TableLine,
    Use,
    WordPlace,
)
from iptlint.model import Family
from iptlint.model.owners import owner_of_name
from iptlint.source import SourceFile, Span

SYNTAX, UNKNOWN, REFUSED = "IPT001", "IPT002", "IPT006"

_ADDING = (Command.APPEND, Command.INSERT)
_UNDOING = (Command.FLUSH, Command.DELETE, Command.REPLACE, Command.DELETE_CHAIN)
"""What stands in a file that is loaded on top of what is there."""


class IptablesDiagnostics:
    """Collects the diagnostics of one source."""

    def __init__(self, source: SourceFile, tree: SaveFile) -> None:
        self.source = source
        self.tree = tree
        self._diagnostics: list[Diagnostic] = [
            _syntax(diagnostic) for diagnostic in tree.diagnostics
        ]
        self.undeclared: set[tuple[OpenTable, str]] = set()
        if tree.crlf is not None:
            self._windows_line_ending(tree.crlf)

    def sorted(self) -> tuple[Diagnostic, ...]:
        return tuple(
            sorted(self._diagnostics, key=lambda diagnostic: (diagnostic.start, diagnostic.code))
        )

    def _add(
        self, code: str, start: int, end: int, message: str, help: str = "", grade: str = "error"
    ) -> None:
        self._diagnostics.append(Diagnostic(code, grade, start, end, message, help))

    def _at(self, span: Span, code: str, message: str, help: str = "") -> None:
        self._add(code, span.start, span.end, message, help)

    def _windows_line_ending(self, start: int) -> None:
        """xtables counts the carriage return as part of the last word of every line."""
        self._add(
            REFUSED,
            start,
            start + 1,
            "the lines end in CR LF, as on Windows: iptables-restore takes the CR for a part of "
            "the last word, so no table name fits and nothing is loaded",
            "convert the file: sed -i 's/\\r$//' FILE",
        )

    # -- values ---------------------------------------------------------------

    def refused(self, line: CommandLine, cell: Cell, invalid: InvalidPart) -> None:
        """An argument that does not fit, or options that do not go together."""
        reason = invalid.reason
        if invalid.use is None:
            span = cell_span(self.source, line, cell)
        else:
            span = use_span(self.source, line, cell, invalid.use)
        code = REFUSED if reason.refused else SYNTAX
        verb = "is refused or changed" if reason.refused else "is not understood"
        self._at(span, code, f"`{span.text}` {verb}: expected {reason}", f"write {reason}")

    def no_protocol(self, line: CommandLine, cell: Cell, needs: tuple[str, ...]) -> None:
        needed = " or ".join(f"-p {name}" for name in needs)
        reason = InvalidValueError(f"{needed} in the same rule", refused=True)
        self.refused(line, cell, InvalidPart(None, reason))

    def given_twice(self, line: CommandLine, use: Use) -> None:
        span = line.words_span(self.source, use.start, use.end)
        self._at(
            span,
            SYNTAX,
            f"`{span.text}` repeats --{use.option.name}, which a rule may have only once",
            "make two rules of it",
        )

    def unknown(self, line: CommandLine, plan: Plan) -> None:
        for cell in plan.unknown:
            assert cell.load is not None
            span = cell_span(self.source, line, cell)
            what = "target" if cell.load.target else "match"
            name = cell.load.name.text(line.words)
            message = f"the {what} {name} is not known, so what it does is left open"
            advice = "check the spelling; a module from outside the kernel is fine"
            self._add(UNKNOWN, span.start, span.end, message, advice, "info")

    # -- tables ---------------------------------------------------------------

    def declared_again(self, before: OpenTable, line: TableLine) -> None:
        again, first = self.source.line_of(line.start), self.source.line_of(before.start)
        self._add(
            REFUSED,
            before.start,
            before.end,
            f"table {line.name} is declared again at line {again}: iptables-restore flushes it, "
            f"and the rules from line {first} on are lost",
            f"put all rules of {line.name} under one *{line.name}",
            "warning",
        )

    def unknown_table(self, line: TableLine) -> None:
        self._add(
            REFUSED,
            line.start,
            line.end,
            f"there is no table {line.name}: expected filter, nat, mangle, raw or security",
            "move the rules to the table they belong to",
        )

    def table_option(self, line: CommandLine, place: WordPlace) -> None:
        span = line.place_span(self.source, place)
        message = f"-t {span.text} is refused in a file for iptables-restore"
        self._at(span, SYNTAX, message, f"put the line under *{span.text} instead")

    # -- chains ---------------------------------------------------------------

    def is_target(self, name: str, family: Family) -> bool:
        return find_target(name, family) is not None

    def long_chain_name(self, name: str, start: int, end: int) -> None:
        self._add(
            REFUSED,
            start,
            end,
            f"the chain name {name} has {len(name)} characters: expected at most 28",
            "choose a shorter name",
        )

    def chain_named_as_target(self, name: str, start: int, end: int) -> None:
        self._add(
            REFUSED,
            start,
            end,
            f"a chain may not be called {name}, which is a target",
            "choose another name",
        )

    def bad_policy(self, chain: str, policy: str, start: int, end: int) -> None:
        self._add(
            SYNTAX,
            start,
            end,
            f"{policy} is no policy for {chain}: expected ACCEPT or DROP",
            f"let the last rule of {chain} do what is left",
        )

    def drop_in_nat(self, start: int, end: int) -> None:
        self._add(
            REFUSED,
            start,
            end,
            "iptables refuses DROP in table nat, which is not meant for filtering",
            "filter in table filter, raw or mangle",
        )

    def undeclared_chain(self, line: CommandLine, table: OpenTable, name: str) -> None:
        if (table, name) in self.undeclared or line.shape.chain is None:
            return
        self.undeclared.add((table, name))
        message = f"table {table.name} has no chain {name} at this point"
        advice = f"declare it before: `:{name} - [0:0]`"
        if name in HOOK_NAMES:
            advice = f"put the line under {_tables_with(name)}"
        if line.shape.command in _ADDING and owner_of_name(name) is None and self._is_whole(table):
            span = line.place_span(self.source, line.shape.chain)
            stops = "iptables-restore stops here and loads nothing of the table"
            self._at(span, REFUSED, f"{message}: {stops}", advice)
        else:
            self._fragment(line, line.shape.chain, message, advice)

    def _is_whole(self, table: OpenTable) -> bool:
        """Whether the table starts anew with the file: it says what the built-in chains do, and
        undoes nothing that was there before."""
        declared = any(c.declared for c in table.chains.values() if c.name in table.built_in)
        lines = (line for line in self.tree.lines if isinstance(line, CommandLine))
        return declared and not any(line.shape.command in _UNDOING for line in lines)

    def _fragment(self, line: CommandLine, place: WordPlace, message: str, advice: str) -> None:
        """Wrong in a whole file; right in one that is loaded on top of what is there."""
        span = line.place_span(self.source, place)
        more = f"{advice}; or load the file with --noflush, on top of what is there"
        self._add(REFUSED, span.start, span.end, message, more, "warning")

    def chain_exists(self, line: CommandLine, name: str) -> None:
        message = f"there is a chain {name} already"
        self._add(REFUSED, line.start, line.end, message, "choose another name")

    def policy_without_hook(self, table: OpenTable, line: ChainLine) -> None:
        """iptables-legacy: "Bad built-in chain name"; iptables-nft makes a chain for users."""
        name, misplaced = line.name, line.name in HOOK_NAMES
        nft = "makes a chain that sees no packet" if misplaced else "does not look at the policy"
        self._add(
            REFUSED,
            line.start,
            line.end,
            f"{name} is not a built-in chain of table {table.name} and has no policy: "
            f"iptables-legacy-restore refuses the file, iptables-nft-restore {nft}",
            f"put the chain under {_tables_with(name)}" if misplaced else f"`:{name} - [0:0]`",
            "warning",
        )

    def policy_of_user_chain(self, line: CommandLine, name: str) -> None:
        self._add(
            REFUSED,
            line.start,
            line.end,
            f"{name} is not a built-in chain of this table, and only those have a policy",
            f"end {name} with a rule that has no tests",
        )

    # -- rules ----------------------------------------------------------------

    def no_such_rule(self, line: CommandLine, number: WordPlace, last: int) -> None:
        wanted = number.text(line.words)
        expected = f"a rule number from 1 to {last}" if last else "a chain with a rule in it"
        message = f"there is no rule {wanted}: expected {expected}"
        self._fragment(line, number, message, "append the rule with -A")

    def no_equal_rule(self, line: CommandLine, chain: str) -> None:
        message = f"there is no such rule in {chain} at this point, so nothing is deleted"
        assert line.shape.chain is not None
        self._fragment(line, line.shape.chain, message, "delete the line")

    # -- places ---------------------------------------------------------------

    def interface_in_chain(self, line: CommandLine, use: Use, chain: str) -> None:
        span = line.words_span(self.source, use.start, use.end)
        way = (
            "comes in by none" if use.option.name == "in-interface" else "has none to go out by yet"
        )
        message = f"`{span.text}` is refused in {chain}: a packet there {way}"
        self._at(span, REFUSED, message, "move the rule to a chain where the interface is known")

    def wrong_table(self, line: CommandLine, cell: Cell, table: str) -> None:
        if cell.extension.name == "DROP":
            span = cell_span(self.source, line, cell)
            self.drop_in_nat(span.start, span.end)
            return
        tables = " or ".join(cell.extension.tables)
        self._at(
            cell_span(self.source, line, cell),
            REFUSED,
            f"{cell.extension.name} is refused in table {table}: it works only in {tables}",
            f"move the rule to table {tables}",
        )

    def wrong_chain(self, placed: RestrictedExtension, wrong: list[str]) -> None:
        extension, own = placed.cell.extension, wrong == [placed.chain]
        called = "" if own else f", and {placed.chain} is called from {', '.join(wrong)}"
        chains = ", ".join(extension.chains)
        self._at(
            cell_span(self.source, placed.line, placed.cell),
            REFUSED,
            f"{extension.name} is refused in {wrong[0]}: it works only in {chains}{called}",
            f"move the rule to {' or '.join(extension.chains)}",
        )


def _tables_with(chain: str) -> str:
    """The tables that have the built-in chain, for the advice: ``*mangle or *filter``."""
    return " or ".join(f"*{table}" for table, chains in BUILT_IN.items() if chain in chains)


def _syntax(diagnostic: SyntaxDiagnostic) -> Diagnostic:
    return Diagnostic(
        SYNTAX, "error", diagnostic.start, diagnostic.end, diagnostic.message, diagnostic.hint or ""
    )
