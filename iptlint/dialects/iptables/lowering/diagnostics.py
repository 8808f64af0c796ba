"""What is said about lines that the tool or the kernel refuses."""

from __future__ import annotations

from iptlint.dialects.diagnostics import Fate, InvalidValueError
from iptlint.dialects.iptables.extensions.builders import show_value
from iptlint.dialects.iptables.extensions.table import MATCHES, TARGETS
from iptlint.dialects.iptables.lowering.chain_diagnostics import ChainDiagnostics
from iptlint.dialects.iptables.lowering.collected import REFUSED, SYNTAX, UNKNOWN
from iptlint.dialects.iptables.lowering.origins import cell_span, use_span
from iptlint.dialects.iptables.lowering.parts import Cell, InvalidPart
from iptlint.dialects.iptables.lowering.plan import Plan
from iptlint.dialects.iptables.lowering.tables import (
    OpenTable,
    RestrictedExtension,
)
from iptlint.dialects.iptables.parsing.diagnostics import nearest
from iptlint.dialects.iptables.parsing.tree import (
    CommandLine,
    SaveFile,
    TableLine,
    Use,
    WordPlace,
)
from iptlint.source import SourceFile


class IptablesDiagnostics(ChainDiagnostics):
    """All of them."""

    def __init__(self, source: SourceFile, tree: SaveFile) -> None:
        super().__init__(source, tree)
        if tree.crlf is not None:
            self._windows_line_ending(tree.crlf)

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
        verb = "is refused" if reason.refused else "is not understood"
        if reason.variant and not reason.changed:
            verb += f" by iptables-{reason.variant}-restore"
        if reason.changed:
            what = reason.becomes
            verb = "is changed" if what is None else f"becomes `{_printed(what)}`"
            verb += f" with iptables-{reason.variant}-restore" if reason.variant else ""
        grade = "warning" if reason.changed else "error"
        message, advice = f"`{span.text}` {verb}: expected {reason}", f"write {reason}"
        place = (code, span.start, span.end, message, advice, grade)
        self._add(*place, fate=reason.fate, variant=reason.variant)

    def no_protocol(
        self,
        line: CommandLine,
        cell: Cell,
        needs: tuple[str, ...],
        *,
        before: bool = False,
        variant: str = "",
    ) -> None:
        """``before``: it has to stand before what needs it."""
        needed = " or ".join(f"-p {name}" for name in needs)
        where = f"before it: {needed}" if before else f"{needed} in the same rule"
        reason = InvalidValueError(where, refused=True, variant=variant)
        self.refused(line, cell, InvalidPart(None, reason))

    def given_twice(self, line: CommandLine, use: Use) -> None:
        span = line.words_span(self.source, use.start, use.end)
        self._at(
            span,
            SYNTAX,
            f"`{span.text}` repeats --{use.option.name}, which a rule may have only once",
            "make two rules of it",
        )

    def negated_beside_list(self, line: CommandLine, use: Use) -> None:
        span = line.words_span(self.source, use.start, use.end)
        message = f"`{span.text}` is refused: the rule has a list of addresses beside it"
        self._at(span, REFUSED, message, "make a rule for each address")

    def unknown(self, line: CommandLine, plan: Plan) -> None:
        for cell in plan.unknown:
            assert cell.load is not None
            span = cell_span(self.source, line, cell)
            what = "target" if cell.load.target else "match"
            name = cell.load.name.text(line.words)
            message = f"the {what} {name} is not known, so what it does is left open"
            near = nearest(name, TARGETS if cell.load.target else MATCHES)
            advice = f"did you mean {near}? Else " if near else "check the spelling; "
            advice += "a module from outside the kernel is fine"
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
            Fate.CHANGED,
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
            Fate.AT_COMMIT,
        )

    def wrong_legacy_table(self, line: CommandLine, cell: Cell, table: str) -> None:
        """Of what iptables-nft makes an expression of nf_tables of, which may stand anywhere."""
        tables = " or ".join(cell.extension.legacy_tables)
        span = cell_span(self.source, line, cell)
        self._add(
            REFUSED,
            span.start,
            span.end,
            f"{cell.extension.name} is refused in table {table} by iptables-legacy-restore: "
            f"there it works only in {tables}",
            f"move the rule to table {tables}",
            fate=Fate.AT_COMMIT,
            variant="legacy",
        )

    def wrong_chain(self, placed: RestrictedExtension, wrong: list[str]) -> None:
        name, own = placed.cell.extension.name, placed.chain in wrong
        called = "" if own else f", and {placed.chain} is called from {', '.join(wrong)}"
        # The kernel asks a match about its options with the chain that the rule is in; only
        # x_tables tells it which built-in chains lead there (nft_compat.c).
        variant = "legacy" if placed.by_options and not own else ""
        by = f" by iptables-{variant}-restore" if variant else ""
        what = "with these options" if placed.by_options else ""
        span = cell_span(self.source, placed.line, placed.cell)
        self._add(
            REFUSED,
            span.start,
            span.end,
            " ".join(filter(None, (name, what, f"is refused{by} in {wrong[0]}:")))
            + f" it works only in {', '.join(placed.chains)}{called}",
            f"move the rule to {' or '.join(placed.chains)}",
            fate=Fate.AT_COMMIT,
            variant=variant,
        )


def _printed(value: object) -> str:
    """As iptables-save prints it: a range of one port is that port."""
    match value:
        case (low, high) if low == high:
            return str(low)
        case _:
            return show_value(value)
