"""A command of iptables or ip6tables while it is carried out on the tables."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import islice

from iptlint.dialects.diagnostics import Diagnostic
from iptlint.dialects.iptables.extensions.table import TARGETS, find_target
from iptlint.dialects.iptables.lowering.tables import BUILT_IN, HOOK_NAMES
from iptlint.dialects.iptables.parsing.tree import Command, Shape
from iptlint.dialects.script.generated_text import Conditions, GeneratedText, together
from iptlint.dialects.script.iptables_line import CommandReader, ParsedCommand
from iptlint.dialects.script.symbolic_text import is_known, shown
from iptlint.dialects.script.tables import (
    ChainState,
    SetChain,
    SpanOrigin,
    TableChange,
    TableKey,
    Tables,
    doubtful,
    only_if,
)
from iptlint.dialects.script.truths import doubt, is_doubt
from iptlint.model import Family, Match, Rule, unread_rule
from iptlint.model.near_words import MOST_KNOWN, nearest
from iptlint.model.owners import owner_of_name
from iptlint.source import Span

LATE = "IPT003"
REFUSED = "IPT006"
Chains = frozenset[tuple[TableKey, str]]


@dataclass(frozen=True, slots=True)
class IptablesCall:
    """A command as it is given: its words without the tool's name, and where they stand.

    ``table``: that of a text for iptables-restore, which the command stands in. ``occasions``: as
    those of ``Rule``. ``again``: it may have been carried out before.
    """

    words: tuple[str, ...]
    spans: tuple[Span, ...]
    span: Span
    conditions: Conditions = ()
    table: str | None = None
    occasions: tuple[str, ...] = ()
    again: bool = True


class IptablesTool:
    """One family's tool. ``late``: chains that the script makes only after it uses them.

    ``strict``: the tables hold all that the host has; else a chain that nobody made may be
    there all the same. ``lacks_files``: scripts that are not there were carried out, or the
    firmware of a router, which may have made chains.
    """

    def __init__(
        self, family: Family, tables: Tables, late: Chains = frozenset(), *, strict: bool = False
    ) -> None:
        self.family = family
        self.tables = tables
        self.late = late
        self.strict = strict
        self.lacks_files = False
        self.reader = CommandReader(family)
        self.missing: set[tuple[TableKey, str]] = set()
        self.created: set[tuple[TableKey, str]] = set()
        self.refused: dict[tuple[TableKey, str], Span] = {}
        """Chains that a command was to make, and does not."""
        self.told: set[Span] = set()


class Execution:
    """One command, with the tables as it finds them.

    ``generated``: its words as one line. ``failed``: the tool refuses it; ``status``: what it ends
    with then, 2 where the tool finds the fault itself; ``why``: what is to be said of a failure
    that the script may count on, and what to do. ``doubt``: the test that stands for the conditions
    which are known only when the script runs; None without any.
    """

    def __init__(
        self,
        tool: IptablesTool,
        call: IptablesCall,
        generated: GeneratedText,
        parsed: ParsedCommand,
        shape: Shape,
    ) -> None:
        self.tool = tool
        self.call = call
        self.generated = generated
        self.parsed = parsed
        self.shape = shape
        named = parsed.text(shape.table, call.words)
        self.table = call.table or ("filter" if named is None else named)
        self.key: TableKey = (tool.family, self.table)
        self.chain = parsed.text(shape.chain, call.words)
        self.chains = tool.tables.states(self.key)
        self.diagnostics = list(parsed.diagnostics)
        self.failed = False
        self.status = 1
        self.why: tuple[str, str] | None = None
        self.doubt = together(call.conditions)

    # -- what the command is about ---------------------------------------------------------

    def rule(self) -> Rule:
        rule = self.parsed.rule
        assert rule is not None
        rule = replace(rule, occasions=self.call.occasions)
        return doubtful(rule, self.doubt) if self.doubt else rule

    def chain_state(self) -> ChainState | None:
        """The chain; None where the command fails for want of it."""
        assert self.chain is not None
        state = self.chains.get(self.chain)
        if state is not None:
            return state
        if (self.key, self.chain) in self.tool.late:
            self._report_late(self.chain)
            return None
        if (self.key, self.chain) in self.tool.refused:
            self._report_refused(self.chain)
            return None
        self.tool.missing.add((self.key, self.chain))
        if self.chain.startswith("-"):  # an option, behind a variable without a value
            self.failed = True
            return None
        if self.is_known or self.chain in HOOK_NAMES:
            self._report_no_chain()
            return None
        if owner_of_name(self.chain) is None and not self.tool.lacks_files:
            self._report_unmade_chain(self.chain)
        return ChainState(self.chain, made=False)

    def target_exists(self) -> bool:
        """A jump to a chain that is not there is refused, and so there is no such rule."""
        jump = self.parsed.text(self.shape.jump, self.call.words)
        if jump is None or not is_known(jump):
            return True
        if jump in BUILT_IN.get(self.table, ()):
            self._report_built_in(jump)
            return False
        if jump in self.chains:
            return True
        if find_target(jump, self.tool.family) is not None and not self.shape.goto:
            return True
        if self.shape.target is not None and not self.shape.goto:
            return True  # a target of somebody's own, for it is given options
        self.tool.missing.add((self.key, jump))
        if (self.key, jump) in self.tool.refused:
            self._report_refused(jump)
        elif (self.key, jump) in self.tool.late:
            self._report_late(jump)
        elif self.is_known:
            self._report_no_target(jump)
        return not self.failed

    def lacks_target(self) -> bool:
        """Whether it jumps to nothing that there is: the tool looks for that before the chain."""
        jump = self.parsed.text(self.shape.jump, self.call.words)
        if jump is None or not is_known(jump) or jump in self.chains:
            return False
        is_target = find_target(jump, self.tool.family) is not None
        return jump not in BUILT_IN.get(self.table, ()) and (self.shape.goto or not is_target)

    @property
    def is_known(self) -> bool:
        """Whether the table has no chains but those that are known."""
        return self.tool.strict or self.key in self.tool.tables.known

    # -- changes that leave things open -----------------------------------------------------

    def perhaps(self) -> Match:
        """That rules may be as they were, where the command is not understood."""
        return doubt(shown(self.generated.source.text))

    def all_only_if(self, truth: Match, key: TableKey, state: ChainState) -> TableChange:
        """The rules of the chain are there only if that holds, too."""
        return SetChain(key, state.name, replace(state, rules=only_if(truth, state.rules)))

    def only_if(self, truth: Match, state: ChainState, *indexes: int) -> TableChange:
        rules = [
            each
            for index, rule in enumerate(state.rules)
            for each in (only_if(truth, (rule,)) if index in indexes else (rule,))
        ]
        return SetChain(self.key, state.name, replace(state, rules=tuple(rules)))

    def open_policy(self, state: ChainState) -> TableChange:
        rule = self.unread_rule()
        return SetChain(self.key, state.name, replace(state, tail=(rule, *state.tail)))

    def unread_rule(self) -> Rule:
        """Stands for what the command may put into a chain."""
        return unread_rule(SpanOrigin(self.call.span), shown(self.generated.source.text))

    # -- diagnostics ------------------------------------------------------------------------

    def _report(self, code: str, severity: str, message: str, help: str) -> None:
        span = self.call.span
        self.diagnostics.append(
            Diagnostic(code, severity, span.start, span.end, message, help, span.source)
        )

    def report_no_table(self) -> None:
        self.failed = True
        message = f"there is no table {self.table}: expected filter, nat, mangle, raw or security"
        self._report(REFUSED, "error", message, "name the table the rule is meant for")

    def report_no_interface(self, option: str) -> None:
        """Whatever else the command lacks: this the tool finds first."""
        self.status = 2
        letter, came = ("-i", "came in") if option == "in-interface" else ("-o", "goes out")
        message = f"no packet in {self.chain} {came} anywhere, so {self._tool} refuses `{letter}`"
        self.diagnostics.clear()
        self._report(REFUSED, "error", f"{message}, and there is no such rule", _OTHER[letter])

    def _report_unmade_chain(self, chain: str) -> None:
        message = (
            f"nothing in this script makes chain {chain} of table {self.table} before: unless "
            "something else has, this command fails"
        )
        advice = _meant(chain, self.chains, f"make it before: {self._new_chain(chain)}")
        self._report(REFUSED, "warning", message, advice)

    def _report_no_chain(self) -> None:
        """The first thing that the tool finds wrong, and the only one it says."""
        assert self.chain is not None
        message = f"table {self.table} has no chain {self.chain} at this point of the script"
        advice = f"make it before: {self._new_chain(self.chain)}"
        if self.chain in HOOK_NAMES:
            advice = f"did you mean {self._tool} {_tables_with(self.chain, self._jump)}?"
        else:
            advice = _meant(self.chain, self.chains, advice)
        self.failed = True
        self.diagnostics.clear()
        self._report(REFUSED, "error", f"{message}: this command fails and does nothing", advice)

    def _report_no_target(self, jump: str) -> None:
        self.failed = True
        message = (
            f"there is neither a chain nor a target {jump} at this point of the script: this "
            "command fails and does nothing"
        )
        advice = _meant(jump, (*self.chains, *TARGETS), f"make it before: {self._new_chain(jump)}")
        self._report(LATE, "error", message, advice)

    def _report_built_in(self, jump: str) -> None:
        """``mark_source_chains`` in ip_tables.c and ``nft_verdict_init`` in nf_tables_api.c."""
        self.failed = True
        message = (
            f"{jump} is a built-in chain, which no rule may call: this command fails and does "
            "nothing"
        )
        advice = f"move the rules of {jump} that are meant to a chain of their own, and call it"
        self._report(REFUSED, "error", message, advice)

    def _new_chain(self, name: str) -> str:
        table = "" if self.table == "filter" else f" -t {self.table}"
        return f"{self._tool}{table} -N {name}"

    @property
    def _tool(self) -> str:
        return "iptables" if self.tool.family is Family.IP else "ip6tables"

    @property
    def _jump(self) -> str:
        return self.parsed.text(self.shape.jump, self.call.words) or ""

    def _report_late(self, chain: str) -> None:
        self.failed = True
        message = (
            f"this script makes chain {chain} only further down: unless it is there already, this "
            "command is refused and does nothing"
        )
        self._report(LATE, "error", message, f"move `-N {chain}` before this line")

    def _report_refused(self, chain: str) -> None:
        """Once: it is one mistake."""
        self.failed = True
        made = self.tool.refused[self.key, chain]
        if made in self.tool.told:
            return
        self.tool.told.add(made)
        message = (
            f"chain {chain} is not there, as the command on line {made.line} that was to make it "
            "is refused: this command and all others for the chain fail, too"
        )
        self._report(LATE, "error", message, f"mend line {made.line}")

    def report_no_rule(self, number: int, state: ChainState) -> None:
        """Where others may have made rules before, the number may be that of one of theirs; who
        deletes one there has seen it."""
        is_all = self.tool.strict or state.emptied
        deletes = self.shape.command is Command.DELETE
        self.failed = is_all
        if deletes and not is_all:
            return
        if any(map(is_doubted, state.rules)) or not state.made or self.tool.lacks_files:
            return
        count = state.number(len(state.rules))
        if is_all:
            message = f"there is no rule {number} in {state.name}, which has {count} at this point"
        else:
            rules = f"{count} rule{'' if count == 1 else 's'}" if count else "no rule"
            message = (
                f"this script makes {rules} in {state.name} before, too few for a number "
                f"{number}: unless something else has made some, this command fails"
            )
        advice = "delete the line" if deletes else "append the rule with -A"
        self._report(REFUSED, "warning", message, advice)


def is_doubted(rule: Rule) -> bool:
    return any(is_doubt(match) for match in rule.matches)


def _meant(name: str, known: Iterable[str], otherwise: str) -> str:
    spellings = {each.lower(): each for each in islice(known, MOST_KNOWN + 1)}
    near = nearest(name.lower(), spellings, _ALIKE)
    return f"did you mean {spellings[near]}? Else {otherwise}" if near else otherwise


def _tables_with(chain: str, jump: str) -> str:
    """The options for the tables that have the chain, those first that have the target."""
    tables = [name for name, chains in BUILT_IN.items() if chain in chains]
    if jump in _TRANSLATES:
        return "-t nat"
    return " or ".join(f"-t {name}" for name in sorted(tables, key="nat mangle raw".find))


_ALIKE = 0.75
_OTHER = {
    "-i": "test the interface by which they leave, with -o",
    "-o": "test the interface by which they came, with -i",
}
_TRANSLATES = frozenset({"MASQUERADE", "SNAT", "DNAT", "REDIRECT", "NETMAP"})
