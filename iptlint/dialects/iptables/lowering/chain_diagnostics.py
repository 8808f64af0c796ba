"""What is said about chains that the tool refuses, and about the commands on them."""

from __future__ import annotations

from iptlint.dialects.diagnostics import Fate
from iptlint.dialects.iptables.extensions.table import find_target
from iptlint.dialects.iptables.lowering.collected import REFUSED, SYNTAX, Collected
from iptlint.dialects.iptables.lowering.tables import BUILT_IN, HOOK_NAMES, OpenTable
from iptlint.dialects.iptables.parsing.tree import (
    ChainLine,
    Command,
    CommandLine,
    LoadedExtension,
    WordPlace,
)
from iptlint.model import Family
from iptlint.model.near_words import nearest
from iptlint.model.owners import owner_of_name

_ALIKE = 0.75
_ADDING = (Command.APPEND, Command.INSERT)
_UNDOING = (Command.FLUSH, Command.DELETE, Command.REPLACE, Command.DELETE_CHAIN)
"""What stands in a file that is loaded on top of what is there."""


class ChainDiagnostics(Collected):
    """Those of chains."""

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

    def chain_hides_target(self, line: ChainLine) -> None:
        """xtables_announce_chain: the tool looks for no target of such a name any more."""
        self._add(
            REFUSED,
            line.start,
            line.end,
            f"a chain called {line.name} hides the target: -j {line.name} calls the chain",
            "choose another name",
            "warning",
            Fate.CHANGED,
        )

    def verdict_as_chain(self, line: ChainLine) -> None:
        self._add(
            REFUSED,
            line.start,
            line.end,
            f"a chain may not be called {line.name}: iptables-nft-restore refuses it",
            "choose another name",
            variant="nft",
        )

    def bad_first_letter(self, line: ChainLine) -> None:
        self._add(
            REFUSED,
            line.start,
            line.end,
            f"a chain's name may not begin with `{line.name[0]}`: iptables-nft-restore refuses it",
            "choose another name",
            variant="nft",
        )

    def chain_made_twice(self, line: ChainLine) -> None:
        self._add(
            REFUSED,
            line.start,
            line.end,
            f"the chain {line.name} is declared twice: iptables-legacy-restore refuses the second",
            "delete one of the lines",
            variant="legacy",
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
            f"write {policy.upper()}"
            if policy.upper() in ("ACCEPT", "DROP")
            else f"let the last rule of {chain} do what is left",
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
        told = _OF_ANOTHER_TABLE if name in HOOK_NAMES else name
        if (table, told) in self.undeclared or line.shape.chain is None:
            return
        self.undeclared.add((table, told))
        message = f"table {table.name} has no chain {name} at this point"
        advice = f"declare it before: `:{name} - [0:0]`"
        if name in HOOK_NAMES:
            advice = f"put the line under {_tables_with(name, line.shape.target)}"
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
            variant="legacy",
        )

    def policy_of_user_chain(self, line: CommandLine, name: str) -> None:
        near = nearest(name.upper(), HOOK_NAMES, _ALIKE)
        self._add(
            REFUSED,
            line.start,
            line.end,
            f"{name} is not a built-in chain of this table, and only those have a policy",
            f"did you mean {near}?" if near else f"end {name} with a rule that has no tests",
        )

    # -- rules ----------------------------------------------------------------

    def no_such_rule(
        self, line: CommandLine, number: WordPlace, last: int, variant: str = ""
    ) -> None:
        wanted = number.text(line.words)
        expected = f"a rule number from 1 to {last}" if last else "a chain with a rule in it"
        message = f"there is no rule {wanted}: expected {expected}"
        self._fragment(line, number, message, "append the rule with -A", variant)

    def no_equal_rule(self, line: CommandLine, chain: str, rules: int) -> None:
        """iptables-legacy may take another one for it where there are several, and ip6tables-legacy
        compares no options of matches and targets for ``-C``."""
        asks = self.tree.family is Family.IP6 and line.shape.command is Command.CHECK
        variant = "nft" if rules > (0 if asks else 1) else ""
        message = f"there is no such rule in {chain} at this point"
        if line.shape.command is Command.DELETE:
            message += ", so nothing is deleted"
        assert line.shape.chain is not None
        self._fragment(line, line.shape.chain, message, "delete the line", variant)

    def replaced_by_many(self, line: CommandLine) -> None:
        self._add(
            REFUSED,
            line.start,
            line.end,
            "a rule can be replaced only by one: expected one source and one destination",
            "replace it by the rule of one address, and append the others",
        )

    def chain_in_use(self, line: CommandLine, name: str) -> None:
        self._add(
            REFUSED,
            line.start,
            line.end,
            f"the chain {name} has rules, or a rule calls it: it cannot be deleted",
            f"flush it (-F {name}) and delete the rules that call it, before",
        )

    def no_chain_to_delete(self, line: CommandLine, table: OpenTable, name: str) -> None:
        """iptables-nft deletes a built-in chain that the text declares and that has no rules."""
        assert line.shape.chain is not None
        chain = table.chains.get(name)
        variant = "legacy" if chain is not None and chain.declared and not chain.rules else ""
        message = f"table {table.name} has no chain {name} that could be deleted at this point"
        self._fragment(line, line.shape.chain, message, "delete the line", variant)

    def chain_not_made(self, line: CommandLine, table: OpenTable, name: str) -> None:
        """iptables-nft has a built-in chain once a line names it; of legacy's only the numbers of
        rules are looked at."""
        assert line.shape.chain is not None
        variant = "" if line.shape.number is not None else "nft"
        message = f"{name} of table {table.name} is not declared, and no rule is in it yet"
        advice = f"declare it before: `:{name} ACCEPT [0:0]`"
        self._fragment(line, line.shape.chain, message, advice, variant)


_OF_ANOTHER_TABLE = "*"
"""Stands for all built-in chains that a table lacks: the line that names theirs is missing."""


def _tables_with(chain: str, target: LoadedExtension | None = None) -> str:
    """The tables that have the built-in chain, and that the target may stand in, for the advice:
    ``*mangle or *filter``."""
    tables = [table for table, chains in BUILT_IN.items() if chain in chains]
    fit = target.extension.tables if target and target.extension else ()
    return " or ".join(f"*{table}" for table in tables if table in fit or not fit)
