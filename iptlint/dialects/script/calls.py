"""What a command is: a function, a tool, a builtin, another script."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import takewhile

from iptlint.dialects.detect import SCRIPT, detect
from iptlint.dialects.diagnostics import Diagnostic
from iptlint.dialects.script import tools
from iptlint.dialects.script import tree as t
from iptlint.dialects.script.arguments import given_in
from iptlint.dialects.script.branches import at_the_end
from iptlint.dialects.script.builtins import ASKS_SOMEBODY, BUILTINS, outside
from iptlint.dialects.script.environment import (
    Environment,
    assigned_in,
    tool_called,
)
from iptlint.dialects.script.files import find
from iptlint.dialects.script.interpreter import Interpreter
from iptlint.dialects.script.misspelt import misspelt
from iptlint.dialects.script.not_understood import NotUnderstood, Reason
from iptlint.dialects.script.parser import parse
from iptlint.dialects.script.printing import is_of_sh
from iptlint.dialects.script.state import (
    MAX_CALLS,
    MAX_EVAL,
    Flow,
    Result,
    Run,
    RunningText,
    Scope,
    TooMuchError,
    syntax,
)
from iptlint.dialects.script.symbolic_text import WHOLE, is_known, names, shown
from iptlint.dialects.script.text_tools import text_tool
from iptlint.dialects.script.tool_calls import Call
from iptlint.dialects.script.truths import all_of, any_of, opposite
from iptlint.dialects.script.wrappers import KEYWORDS, WRAPPERS, calls_of_xargs
from iptlint.source import SourceFile, Span


def execute(shell: Interpreter, call: Call) -> Result:
    run = shell.run
    call = _without_alias(shell, call)
    name = call.words[0]
    function = run.environment.functions.get(name)
    if function is not None:
        return run_function(shell, call, *function)
    if _is_prefix(shell, call):
        return execute(shell, call.without(1))
    if _OPTION.match(name) and call.span.text[:1] == "-" and _follows_a_tool(call.span):
        run.diagnostics.append(_no_command(name, call.span))
        return Result(127)
    return _execute_no_function(shell, call)


def _without_alias(shell: Interpreter, call: Call) -> Call:
    """What an alias stands for; bash knows none in a script unless it is told to."""
    environment = shell.run.environment
    words = environment.aliases.get(call.words[0], ())
    if not words or not (is_of_sh(shell.run.main) or "expand_aliases" in environment.settings):
        return call
    spans = (*call.spans[:1] * len(words), *call.spans[1:])
    return replace(call, words=(*words, *call.words[1:]), spans=spans)


def _execute_no_function(shell: Interpreter, call: Call) -> Result:
    run, name = shell.run, call.words[0]
    special = _SPECIAL.get(name)
    if special is not None:
        return special(shell, call)
    short = name.rsplit("/", 1)[-1]
    tool = tools.tool_of(call)
    if tool is not None:
        _named_elsewhere(shell, call)
        return tool[0](run, tool[1])
    if short in WRAPPERS:
        return _wrapped(shell, call, short)
    if name == run.environment.name and is_known(name):
        return _again(shell, call)
    if short in _SHELLS:
        return _other_shell(shell, call)
    builtin = BUILTINS.get(short)
    made = text_tool(run, call) if builtin is None else builtin(run, call)
    return _program(shell, call, name) if made is None else made


def _wrapped(shell: Interpreter, call: Call, short: str) -> Result:
    wrapped = WRAPPERS[short](call)
    if wrapped is None or not wrapped.words:
        return Result(None)
    go_on = execute if short in KEYWORDS else _execute_no_function
    result = go_on(shell, wrapped)
    return result._replace(flow=Flow.EXIT) if short == "exec" else result


def _xargs(shell: Interpreter, call: Call) -> Result:
    calls = calls_of_xargs(shell.run, call)
    if calls is None:
        if tools.is_tool(next((word for word in call.words[1:] if tools.is_tool(word)), "")):
            shell.run.note(Reason.VALUE, call.span, "xargs")
            shell.run.commands.add((call.span.source.path, call.span.start, call.span.end))
        return outside(shell.run, call)
    results = [_execute_no_function(shell, each) for each in calls]
    statuses = {result.status for result in results}
    return Result(0 if statuses <= {0} else None if None in statuses else 123)


def _program(shell: Interpreter, call: Call, name: str) -> Result:
    """Any other one, perhaps beside the script."""
    run = shell.run
    source = find(run, name) if _MAY_BE_BESIDE.fullmatch(name) else None
    if source is not None and detect(source).name == SCRIPT:
        return _process(shell, source, call.words[1:], call)
    if source is not None and _RUN_BY_NFT.match(source.text):
        return _execute_no_function(shell, _loading(call))
    return _other_program(shell, call)


def _other_program(shell: Interpreter, call: Call) -> Result:
    run = shell.run
    slip = None if run.environment.open else misspelt(call)
    if slip is None:
        return outside(run, call)
    run.diagnostics.append(slip)
    return Result(127)


_OPTION = re.compile(r"--?[A-Za-z]")
_OF_A_TOOL = re.compile(
    r"\s*(?:sudo\s+)?(?:\S*/)?(?:ip6?tables|ipset|nft)\s|\s*(?:sudo\s+)?\$\{?\w+\}?\s+-"
)


def _follows_a_tool(place: Span) -> bool:
    """Whether the line before is a command of a tool, and this one begins with its options."""
    text, line = place.source.text, place.line
    start = place.source.line_span(line).start
    before = place.source.line_text(line - 1) if line > 1 else ""
    return not text[start : place.start].strip() and _OF_A_TOOL.match(before) is not None


def _no_command(name: str, place: Span) -> Diagnostic:
    before = place.line - 1
    blank = re.search(r"\\[ \t]+$", place.source.line_text(before)) is not None
    message = f"`{name}` is no command: it belongs to line {before}, which "
    message += "has blanks behind its `\\`" if blank else "lacks a `\\` at its end"
    advice = f"take out the blanks at the end of line {before}"
    if not blank:
        advice = f"end line {before} with a `\\`"
    return Diagnostic("IPT001", "error", place.start, place.end, message, advice, place.source)


_MAY_BE_BESIDE = re.compile(r"(?!(?:/usr(?:/local)?)?/s?bin/).*/[^/]+|[^/]+\.sh")
_RUN_BY_NFT = re.compile(r"#!\s*\S*(?:nft|env -S nft)\b")


def _loading(call: Call) -> Call:
    """What it comes to where a file is called that ``#!/usr/sbin/nft -f`` begins."""
    name, place = call.words[0], call.spans[0]
    return replace(call, words=("nft", "-f", name), spans=(place, place, place))


def _named_elsewhere(shell: Interpreter, call: Call) -> None:
    """Who gives ``$IPT`` its value in another script gives others there, and makes chains."""
    run = shell.run
    for name in names(call.words[0]):
        if run.environment.lacks(name) and not run.environment.open:
            run.environment.open = True
            what = f"the script that sets `{name}`"
            run.absent.append(NotUnderstood(Reason.FILE, call.span, what))


def _is_prefix(shell: Interpreter, call: Call) -> bool:
    """``$SUDO iptables …``, where nobody says what ``$SUDO`` is."""
    if len(call.words) < 2 or not WHOLE.fullmatch(call.words[0]):
        return False
    return tools.is_tool(call.words[1]) and tool_called(shown(call.words[0])[1:]) is None


def run_function(shell: Interpreter, call: Call, source: SourceFile, body: t.Statement) -> Result:
    run = shell.run
    if len(run.calls) >= MAX_CALLS:
        raise TooMuchError
    again = any(body is each for each in run.bodies)
    if again and (run.conditions() or ASKS_SOMEBODY.search(source.text, body.start, body.end)):
        return Result(None)  # a menu that calls itself does once more what it may have done
    environment = run.environment
    arguments, text, calls, bodies = environment.arguments, run.text, run.calls, run.bodies
    called_at, run.called_at = run.called_at, call.span
    occasion = "" if call.span == called_at else f"in the call at line {call.span.line}"
    scope = Scope(Flow.RETURN, run.guards)
    given, handed = environment.given, environment.handed
    run.scopes.append(scope)
    run.calls, run.bodies = (*calls, call.span), (*bodies, body)
    run.text = text if source is text.source else RunningText(source)
    environment.handed = _hands_on(environment, call)
    if environment.handed:
        environment.given = given | given_in((body,))
    environment.arguments = call.words[1:]
    environment.saved.append({})
    try:
        with run.on_occasion(occasion):
            result = shell.execute(body)
    finally:
        run.scopes.pop()
        run.text, run.calls, run.bodies, run.called_at = text, calls, bodies, called_at
    if scope.left:
        run.environment.take(at_the_end(scope.left, run.environment))
    run.environment.leave()
    run.environment.arguments = arguments
    run.environment.given, run.environment.handed = given, handed
    if result.flow is Flow.EXIT:
        return result
    return _answer(result, scope)


def _hands_on(environment: Environment, call: Call) -> bool:
    """Whether the command hands on what the script is called with, and nobody has said what."""
    own = not environment.saved or environment.handed
    return environment.guessed and own and _ARGUMENTS.search(call.span.text) is not None


_ARGUMENTS = re.compile(r"\$\{?[@*1-9]")


def _answer(result: Result, scope: Scope) -> Result:
    """The status of a function that may have been left before its end, with others."""
    if not scope.departures:
        return Result(result.status, truth=result.truth, sure=result.sure)
    statuses = {result.status, *(status for _, status in scope.departures)}
    if len(statuses) == 1 and None not in statuses:
        return Result(result.status)
    known = all(status is not None for _, status in scope.departures)
    if not known or (result.status is None and result.truth is None):
        return Result(None)
    stays = opposite(any_of([truth for truth, _ in scope.departures]))
    successes = [truth for truth, status in scope.departures if status == 0]
    if result.status in (None, 0):
        truth = all_of((stays, *([result.truth] if result.truth else [])))
        successes.append(truth or stays)
    return Result(None, truth=any_of(successes) if successes else None)


def _source(shell: Interpreter, call: Call) -> Result:
    run = shell.run
    name = call.words[1] if len(call.words) > 1 else ""
    source = _written(run, name, call) or find(run, name) if is_known(name) else None
    if source is None or len(run.calls) >= MAX_CALLS:
        if not _HARMLESS.search(name):
            run.environment.open = True
            run.environment.fill_in()
            run.absent.append(NotUnderstood(Reason.FILE, call.span, f"`{shown(name)}`"))
        return Result(None)
    run.environment.assigned |= assigned_in(source.text)
    arguments = run.environment.arguments
    if len(call.words) > 2:
        run.environment.arguments = call.words[2:]
    own = call.span if name in run.written else None
    result = _text(shell, RunningText(source, own), call)
    run.environment.arguments = arguments
    return result._replace(flow=Flow.GO) if result.flow is Flow.RETURN else result


def _written(run: Run, name: str, call: Call) -> SourceFile | None:
    """What the script itself wrote into the file, as a text of its own."""
    parts = run.written.get(name)
    if parts is None or any(part.conditions for part in parts):
        return None
    text = "".join(part.text for part in parts)
    return SourceFile(call.span.source.path, text) if is_known(text) and text.strip() else None


def _text(shell: Interpreter, text: RunningText, call: Call) -> Result:
    run = shell.run
    file = parse(text.source)
    before, calls = run.text, run.calls
    run.text, run.calls = text, (*calls, call.span)
    for diagnostic in file.diagnostics:
        span = text.place(diagnostic.start, diagnostic.end)
        run.diagnostics.append(syntax(diagnostic, span))
    try:
        return shell.execute_all(file.statements)
    finally:
        run.text, run.calls = before, calls


def evaluate(shell: Interpreter, call: Call) -> Result:
    """The words as a text. What is unknown in them stands there as a variable."""
    run = shell.run
    text = " ".join(call.words[1:])
    if len(run.calls) >= MAX_CALLS:
        raise TooMuchError
    if len(text) > MAX_EVAL:
        run.note(Reason.UNREAD, call.span, "eval")
        return Result(None)
    hidden: list[str] = []

    def hide(unknown: re.Match[str]) -> str:
        hidden.append(unknown[0])
        return f"${{_unknown_{len(hidden)}}}"

    text = WHOLE.sub(hide, text)
    if hidden and ("=" in text or text.lstrip().startswith("${_unknown_")):
        run.environment.open = True  # what it sets is not known
    for number, value in enumerate(hidden, 1):
        run.environment.set(f"_unknown_{number}", value)
    run.environment.assigned |= assigned_in(text)
    source = SourceFile(call.span.source.path, text)
    return _text(shell, RunningText(source, call.span), call)


def _other_shell(shell: Interpreter, call: Call) -> Result:
    """``bash -c '…'``, ``sh other.sh``."""
    words = call.words[1:]
    if "-c" in words[:2] and len(words) > words.index("-c") + 1:
        index = words.index("-c") + 2
        text = Call((words[0], words[index - 1]), call.spans[:2], call.span)
        with shell.run.subshell():
            shell.run.environment.arguments = words[index + 1 :]
            return in_subprocess(shell, lambda: evaluate(shell, text))
    named = [word for word in words if not word.startswith("-")]
    run, known = shell.run, bool(named) and is_known(named[0])
    source = _written(run, named[0], call) or find(run, named[0]) if known else None
    if source is None:
        if not named and shell.run.stdin is not None and shell.run.stdin.is_known:
            text = Call(("eval", shell.run.stdin.text), call.spans[:1] * 2, call.span)
            with shell.run.subshell():
                return in_subprocess(shell, lambda: evaluate(shell, text))
        if not named:
            return outside(shell.run, call)
        return outside(shell.run, call.without(call.words.index(named[0])), is_script=True)
    return _process(shell, source, named[1:], call)


def _again(shell: Interpreter, call: Call) -> Result:
    """The script calls itself (``$0 stop``)."""
    if call.span in shell.run.calls:
        return Result(None)  # for ever, as far as can be told
    return _process(shell, shell.run.main, call.words[1:], call)


def _process(
    shell: Interpreter, source: SourceFile, arguments: Sequence[str], call: Call
) -> Result:
    run = shell.run
    if len(run.calls) >= MAX_CALLS:
        raise TooMuchError
    before, asking, run.asking = run.environment, run.asking, 0
    own = call.span if {*call.words} & run.written.keys() else None
    handed = _hands_on(before, call)
    while handed and arguments and not arguments[-1]:
        arguments = arguments[:-1]
    run.environment = Environment(
        call.words[0],
        tuple(arguments),
        assigned=assigned_in(source.text),
        settings=_given_to_shell(call),
        guessed=handed,
        given=given_in(parse(source).statements) if handed else frozenset(),
    )
    try:
        return in_subprocess(shell, lambda: _text(shell, RunningText(source, own), call))
    finally:
        run.environment, run.asking = before, asking


def _given_to_shell(call: Call) -> frozenset[str]:
    """``bash -e other.sh``."""
    rest = takewhile(lambda word: word.startswith("-"), call.words[1:])
    is_shell = call.words[0].rsplit("/", 1)[-1] in _SHELLS
    return frozenset(letter for word in rest for letter in word[1:] if is_shell)


def in_subprocess(shell: Interpreter, action: Callable[[], Result]) -> Result:
    """A process of its own: leaving it does not leave the script."""
    run = shell.run
    run.scopes.append(Scope(Flow.EXIT, run.guards))
    try:
        result = action()
        return Result(result.status, truth=result.truth, sure=result.sure)
    finally:
        run.scopes.pop()


_SHELLS = frozenset({"sh", "bash", "dash", "ksh", "ash"})
_HARMLESS = re.compile(
    r"init-functions|/functions$|/init/vars\.sh$|/rc\.(?:conf|subr)$|/rc\.d/functions|/sysconfig/network$"
)
_SPECIAL: dict[str, Callable[[Interpreter, Call], Result]] = {
    ".": _source,
    "source": _source,
    "eval": evaluate,
    "xargs": _xargs,
}
