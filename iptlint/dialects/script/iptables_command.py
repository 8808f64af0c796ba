"""What a command of iptables or ip6tables does to the tables.

As the tool does it: a command that is refused changes nothing. A command that depends on what
is known only at run time (``IptablesCall.conditions``) leaves both possible: rules it adds may
match, rules it takes away may be there no more.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from iptlint.dialects.diagnostics import Diagnostic
from iptlint.dialects.iptables.lowering.tables import BUILT_IN
from iptlint.dialects.iptables.parsing.tree import Command
from iptlint.dialects.script import chain_commands, rule_commands
from iptlint.dialects.script.generated_text import GeneratedText, text_of_words
from iptlint.dialects.script.iptables_execution import Execution, IptablesCall, IptablesTool
from iptlint.dialects.script.iptables_line import ParsedCommand
from iptlint.dialects.script.symbolic_text import WHOLE, is_known, shown
from iptlint.dialects.script.tables import (
    InsertRule,
    SpanOrigin,
    TableChange,
    UseTable,
    has_loop,
)
from iptlint.model import Family, unread_rule


@dataclass(frozen=True, slots=True)
class CommandResult:
    """``unknown``: what of the command was not known. ``looks``: it asks and changes nothing.
    ``sure``: a failure is one whatever there was before, and not only that it is not understood.
    ``status``: what it ends with if it fails; ``why``: as that of ``Execution``."""

    changes: tuple[TableChange, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()
    failed: bool = False
    unknown: tuple[str, ...] = ()
    looks: bool = False
    sure: bool = True
    status: int = 1
    why: tuple[str, str] | None = None


def run_command(tool: IptablesTool, call: IptablesCall) -> CommandResult:
    """What the command does; ``Tables.apply`` puts it into effect."""
    if not call.words or call.words[0] in _INFORMATIVE:
        return CommandResult(looks=True)
    generated = text_of_words(call.span.source.path, call.words, call.spans)
    parsed = tool.reader.read(call.words, generated, call.span, call.table)
    if _is_of_other_family(parsed, tool.family):
        return CommandResult(failed=True)
    if parsed.shape is None:
        return _unread(tool, call, generated, parsed)
    return _execute(Execution(tool, call, generated, parsed, parsed.shape))


_INFORMATIVE = ("-V", "--version", "-h", "--help")


def _is_of_other_family(parsed: ParsedCommand, family: Family) -> bool:
    other = "ipv6" if family is Family.IP else "ipv4"
    return parsed.shape is not None and any(u.option.name == other for u in parsed.shape.core)


def _unread(
    tool: IptablesTool, call: IptablesCall, generated: GeneratedText, parsed: ParsedCommand
) -> CommandResult:
    """A rule that could not be read holds its place, as far as that is known."""
    table = call.table or _given(call.words, ("-t", "--table")) or "filter"
    chain = _given(call.words, ("-A", "--append", "-I", "--insert", "-R", "--replace"))
    failed = bool(parsed.diagnostics)
    result = CommandResult((), parsed.diagnostics, failed, parsed.unknown, sure=False, status=2)
    if not parsed.unknown:
        return result
    if chain is None or table not in BUILT_IN or not is_known(chain):
        return result
    key = (tool.family, table)
    rule = unread_rule(SpanOrigin(call.span), shown(generated.source.text))
    at_front = any(word in ("-I", "--insert") for word in call.words)
    return replace(result, changes=(InsertRule(key, chain, rule, 0 if at_front else None),))


def _given(words: Sequence[str], options: Sequence[str]) -> str | None:
    return next((b for a, b in pairwise(words) if a in options), None)


def _execute(execution: Execution) -> CommandResult:
    looks = execution.shape.command in _LOOKS
    known_table = is_known(execution.table) and execution.table in BUILT_IN
    changes = tuple(_changes(execution))
    if _is_refused(execution) or _goes_round(execution, changes):
        execution.failed, changes = True, ()
    if not looks and not execution.failed and known_table:
        changes = (UseTable(execution.key), *changes)
    unknown = _unknown(execution) if changes or looks else ()
    diagnostics = tuple(execution.diagnostics)
    return CommandResult(
        changes,
        diagnostics,
        execution.failed,
        unknown,
        looks,
        _fails_anywhere(execution),
        _status(execution),
        execution.why,
    )


def _status(execution: Execution) -> int:
    """As `exit_err` of xtables has it: 2 for a fault in its words."""
    misread = any(diagnostic.code == "IPT001" for diagnostic in execution.diagnostics)
    return 2 if misread or execution.lacks_target() else execution.status


def _fails_anywhere(execution: Execution) -> bool:
    command = execution.shape.command
    state = execution.chains.get(execution.chain or "")
    if any(diagnostic.code == "IPT001" for diagnostic in execution.diagnostics):
        return False
    if command is Command.NEW_CHAIN or execution.is_known:
        return True
    return state is not None and state.emptied


def _unknown(execution: Execution) -> tuple[str, ...]:
    """What of the command is not known, but for the name of an interface that a rule tests: which
    one it is, the host says when the script runs, and nobody else needs to."""
    if execution.shape.command not in (Command.APPEND, Command.INSERT):
        return execution.parsed.unknown
    tests = (use for use in execution.shape.core if use.option.name in _INTERFACES)
    names = {shown(word) for use in tests for word in execution.call.words[use.start : use.end]}
    return tuple(word for word in execution.parsed.unknown if word not in names)


_INTERFACES = ("in-interface", "out-interface")


def _changes(execution: Execution) -> Iterator[TableChange]:
    if not is_known(execution.table):
        return _in_any_table(execution)
    if execution.table not in BUILT_IN:
        execution.report_no_table()
        return iter(())
    if execution.chain is not None and not is_known(execution.chain):
        return _in_any_chain(execution)
    return _COMMANDS[execution.shape.command](execution)


def _is_refused(execution: Execution) -> bool:
    used = {use.option.name for use in execution.shape.core}
    misplaced = _NO_INTERFACE.get(execution.chain or "", "")
    if misplaced in used:
        execution.report_no_interface(misplaced)
        return True
    return any(p.severity == "error" for p in execution.parsed.diagnostics)


def _goes_round(execution: Execution, changes: tuple[TableChange, ...]) -> bool:
    """Whether packets would come to a chain that they come from: the kernel refuses that."""
    if execution.parsed.rule is None or execution.parsed.rule.verdict.chain is None:
        return False
    after = execution.tool.tables.copy()
    after.apply(changes)
    states = after.states(execution.key)
    # What goes round now goes by the new rule: mostly a look at what it leads to shows that
    # nothing does, and a script may have ten thousand jumps.
    leads_back = has_loop(states, [execution.parsed.rule.verdict.chain], execution.chain)
    return leads_back and has_loop(states, BUILT_IN[execution.table])


# -- a table or a chain that is not known ---------------------------------------------------


def _in_any_table(execution: Execution) -> Iterator[TableChange]:
    """In a table that is not known: what takes rules away may have done so in any."""
    if execution.shape.command in (Command.FLUSH, Command.DELETE, Command.REPLACE):
        for key, states in execution.tool.tables.chains.items():
            for state in states.values():
                if state.rules and key[0] is execution.tool.family:
                    yield execution.all_only_if(execution.perhaps(), key, state)


def _in_any_chain(execution: Execution) -> Iterator[TableChange]:
    command = execution.shape.command
    meant = [state for state in execution.chains.values() if _may_be(execution.chain, state.name)]
    if command in (Command.FLUSH, Command.DELETE, Command.REPLACE, Command.DELETE_CHAIN):
        for state in meant:
            if state.rules:
                yield execution.all_only_if(execution.perhaps(), execution.key, state)
    if command in (Command.APPEND, Command.INSERT, Command.REPLACE):
        rule = execution.unread_rule()
        at = 0 if command is Command.INSERT else None
        for state in meant:
            yield InsertRule(execution.key, state.name, rule, at)
    if command is Command.POLICY:
        for state in meant:
            if state.name in BUILT_IN[execution.table]:
                yield execution.open_policy(state)


def _may_be(text: str | None, name: str) -> bool:
    """Whether a name of which parts are not known may be that of the chain."""
    known = WHOLE.split(text or "")
    return re.fullmatch(".*".join(map(re.escape, known)), name) is not None


_NO_INTERFACE = {
    **dict.fromkeys(("INPUT", "PREROUTING"), "out-interface"),
    **dict.fromkeys(("OUTPUT", "POSTROUTING"), "in-interface"),
}
"""What the tool takes in none of its rules there."""

_LOOKS = frozenset({Command.CHECK, Command.LIST, Command.LIST_RULES, Command.ZERO})

_COMMANDS: dict[Command, Callable[[Execution], Iterator[TableChange]]] = {
    Command.APPEND: rule_commands.append,
    Command.INSERT: rule_commands.insert,
    Command.REPLACE: rule_commands.replace_rule,
    Command.DELETE: rule_commands.delete,
    Command.CHECK: rule_commands.check,
    Command.FLUSH: chain_commands.flush,
    Command.NEW_CHAIN: chain_commands.new_chain,
    Command.DELETE_CHAIN: chain_commands.delete_chain,
    Command.RENAME_CHAIN: chain_commands.rename,
    Command.POLICY: chain_commands.set_policy,
    Command.LIST: chain_commands.list_rules,
    Command.LIST_RULES: chain_commands.list_rules,
    Command.ZERO: chain_commands.list_rules,
}
