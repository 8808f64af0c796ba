"""Which command takes which kind of thing."""

from __future__ import annotations

from iptlint.dialects.nft.nodes import Place
from iptlint.dialects.nft.parsing.errors import NftSyntaxError
from iptlint.dialects.nft.tree import Command

_OBJECTS = "counter quota limit secmark synproxy ct-helper ct-timeout ct-expectation tunnel"
_PLURALS = (
    "tables chains sets maps counters quotas limits meters flowtables secmarks synproxys rules "
    "hooks flow-tables ct-helpers ct-timeout ct-expectation"
)

KINDS = {
    "add": f"table chain rule set map element flowtable {_OBJECTS}",
    "create": f"table chain set map element flowtable {_OBJECTS}",
    "insert": "rule",
    "replace": "rule",
    "delete": f"table chain rule set map element flowtable {_OBJECTS}",
    "destroy": f"table chain rule set map element flowtable {_OBJECTS}",
    "flush": "table chain set map meter flow-table ruleset",
    "list": f"table chain set map flowtable meter ruleset flow-table {_OBJECTS} {_PLURALS}",
    "reset": f"counter quota counters quotas rules rule table chain set map element {_PLURALS}",
    "get": "element",
}
"""Kinds by verb; no verb at all is ``add``."""

COMMANDS = (
    *KINDS,
    *("table", "chain", "rule", "set", "map", "element", "flowtable", "counter", "quota", "limit"),
    *("define", "redefine", "undefine", "include", "rename", "describe", "monitor"),
)
"""First words of a command; a family or a table's name may be one as well, before a rule."""


def kinds_of(verb: str) -> tuple[str, ...]:
    """The words that may follow a verb."""
    return tuple(dict.fromkeys(kind.split("-")[0] for kind in KINDS[verb].split()))


def check(command: Command) -> Command:
    """The command itself; NftSyntaxError where there is no such command."""
    verb = command.verb or "add"
    kind = command.kind.replace(" ", "-")
    place = Place(start=command.start, end=command.end)
    if kind not in KINDS[verb].split():
        expected = f"one of {', '.join(kinds_of(verb))}"
        raise NftSyntaxError(f"`{verb}` does not apply to {command.kind}", expected, **place)
    if kind == "ruleset" or kind in _PLURALS.split():
        return command
    _check_family(command, place)
    return _with_rule(command, verb, place)


def _check_family(command: Command, place: Place) -> None:
    """A handle may stand for the last name."""
    if command.kind == "table":
        names, expected = 1, "the table's name, behind its family unless that is ip"
    else:
        names, expected = (
            2,
            f"the table and the {command.kind}, as `inet filter {_example(command)}`",
        )
    by_handle = command.position is not None and command.position.kind == "handle"
    written = len(command.path)
    if written not in (names, names - by_handle):
        message = f"The {command.kind} is named by {_counted(names)}, and here"
        hint = "Without a family before the table's name, nft takes it to be ip."
        raise NftSyntaxError(
            f"{message} {'is' if written == 1 else 'are'} {_counted(written)}",
            expected,
            hint,
            **place,
        )


def _example(command: Command) -> str:
    return command.path[-1].text if command.path else f"my_{command.kind.replace(' ', '_')}"


def _counted(names: int) -> str:
    return ("no name", "one name", "two names")[names] if names < 3 else f"{names} names"


def _with_rule(command: Command, verb: str, place: Place) -> Command:
    if command.kind != "rule":
        return command
    needs_rule = verb in ("add", "insert", "replace")
    if needs_rule != (command.body is not None):
        message = "The command has no rule" if needs_rule else f"`{verb}` takes no rule"
        raise NftSyntaxError(message, "a rule" if needs_rule else "a handle", **place)
    if verb in ("delete", "replace", "destroy") and command.position is None:
        raise NftSyntaxError(
            f"`{verb} rule` does not say which one", "handle and its number", **place
        )
    return command
