"""Simple commands: their words, assignments and redirections."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace

from iptlint.dialects.script import tree as t
from iptlint.dialects.script.arguments import asked_in
from iptlint.dialects.script.arithmetic import calculated
from iptlint.dialects.script.array_items import array_of, index_of
from iptlint.dialects.script.arrays import Items
from iptlint.dialects.script.asking import truth_of_test
from iptlint.dialects.script.calls import execute
from iptlint.dialects.script.empty_values import Emptied
from iptlint.dialects.script.environment import Environment
from iptlint.dialects.script.files import read_beside
from iptlint.dialects.script.generated_text import TextPart
from iptlint.dialects.script.interpreter import Interpreter
from iptlint.dialects.script.printing import is_of_sh
from iptlint.dialects.script.state import MAX_VALUE, Flow, Result, TooMuchError
from iptlint.dialects.script.streams import Input, Output
from iptlint.dialects.script.symbolic_text import is_known, mark, shown
from iptlint.dialects.script.tool_calls import Call
from iptlint.dialects.script.tools import is_tool
from iptlint.dialects.script.word_expansion import (
    Expander,
    cost_of,
    highest_argument,
    plain_names,
)
from iptlint.source import Span

_TESTS = ("[", "test")


def command(shell: Interpreter, node: t.Command) -> Result:
    run = shell.run
    if node.keyword == "unset":
        _unset(shell, [shell.expander().text(word) for word in node.words])
        return Result()
    if node.keyword in run.environment.functions:
        span = shell.span(node)
        return execute(shell, Call((node.keyword,), (span,), span))
    if node.keyword:
        return _declare(shell, node)
    words, spans = _expanded(shell, node.words)
    if not words:
        outputs = run.outputs
        _assign(shell, node.assignments)
        status = run.status if run.outputs > outputs else 0  # what `$?` was before is read in it
        return with_redirects(shell, node.redirects, lambda _: Result(status))
    before = {a.name: run.environment.held(a.name) for a in node.assignments}
    _assign(shell, node.assignments)
    call = Call(words, spans, shell.span(node))
    call = replace(call, lacking=_lacking(shell, node.words, call.span))
    if run.called_at is not None and any(map(_passes_on, node.words)):
        call = replace(call, spans=(run.called_at,) * len(words), span=run.called_at)
    result = with_redirects(
        shell, node.redirects, lambda written: execute(shell, replace(call, written=written))
    )
    if result.status is None and words[0] in _TESTS and result.flow is Flow.GO:
        truth = truth_of_test(shell, node, node.words[1:], double=False)
        result = result._replace(truth=truth)
    for name, held in before.items():
        run.environment.hold(name, held)
    return result


def _unset(shell: Interpreter, words: Sequence[str]) -> None:
    environment = shell.run.environment
    functions = "-f" in words
    for word in _glued(words):
        name, _, index = word.partition("[")
        if index:
            environment.unset_item(name, index_of(index.removesuffix("]"), name, environment))
        elif functions or (name in environment.functions and name not in environment.variables):
            environment.functions.pop(name, None)
        else:
            environment.put(name, None)


def _glued(words: Sequence[str]) -> list[str]:
    """`unset a[1]`, which the grammar takes for two words."""
    glued: list[str] = []
    for word in words:
        if glued and word.startswith("["):
            glued[-1] += word
        else:
            glued.append(word)
    return glued


def _expanded(
    shell: Interpreter, words: Sequence[t.Word]
) -> tuple[tuple[str, ...], tuple[Span, ...]]:
    expander = shell.expander()
    known, given = expander.environment, _with_arguments(expander, words)
    asked = _asked_of(shell, expander.text(words[0])) if words and given is not known else ()
    pairs: list[tuple[str, Span]] = []
    for index, word in enumerate(words):
        expander.environment = known if str(index) in asked else given
        pairs += ((text, shell.span(word)) for text in expander.of_word(word))
    return tuple(text for text, _ in pairs), tuple(span for _, span in pairs)


def _with_arguments(expander: Expander, words: Sequence[t.Word]) -> Environment:
    """What is known, and what a tool needs of what the script is called with, or a function that
    may hand it to one."""
    environment = expander.environment
    called, names = highest_argument(words[1:]), plain_names(words[1:])
    if not (called or names):
        return environment
    if _is_tool(expander, words) or expander.text(words[0]) in environment.functions:
        return environment.with_more_arguments(called, names)
    return environment


def _asked_of(shell: Interpreter, name: str) -> frozenset[str]:
    """The arguments that the function of this name looks at: which of them it gets decides what it
    does, and none is given for that."""
    _, body = shell.run.environment.functions.get(name, (None, None))
    return asked_in((body,)) if body is not None else frozenset()


def _lacking(shell: Interpreter, words: Sequence[t.Word], span: Span) -> Emptied | None:
    """The command as it would be if the variables that have no value had one."""
    expander = shell.expander()
    parameters = (p for word in words for p in word.parts if isinstance(p, t.Parameter))
    plain = (p for p in parameters if p.name.isidentifier() and not (p.operator or p.prefix))
    empty = [p for p in plain if not any(expander.of_word(_alone(p)))]
    if not empty:
        return None
    expander.environment = expander.environment.copy()
    for parameter in empty:
        expander.environment.set(parameter.name, mark(f"${parameter.name}"))
    pairs = [(text, shell.span(word)) for word in words for text in expander.of_word(word)]
    return Emptied(tuple(shell.span(p) for p in empty), tuple(pairs), span)


def _passes_on(word: t.Word) -> bool:
    """Whether it is all arguments of the function: who calls it wrote the command, then."""
    return any(isinstance(part, t.Parameter) and part.name in ("@", "*") for part in word.parts)


def _alone(part: t.Part) -> t.Word:
    return t.Word((part,), start=part.start, end=part.end)


def _is_tool(expander: Expander, words: Sequence[t.Word]) -> bool:
    """Of sudo and its like the next word says what is called."""
    return any(is_tool(expander.text(word).split(" ", 1)[0]) for word in words[:2])


def _declare(shell: Interpreter, node: t.Command) -> Result:
    names = shell.expander().fields(node.words)
    of_all = any(re.fullmatch(r"-\w*g\w*", name) for name in names)
    local = node.keyword in ("local", "declare", "typeset") and not of_all
    if not all(map(is_known, names)):
        shell.run.environment.open = True  # `export $(cat settings)`: it may set anything
    for name in (*(a.name for a in node.assignments), *names):
        if local and (named := re.match(r"[A-Za-z_]\w*(?==|$)", name)):
            shell.run.environment.make_local(named[0])
            if name in names and not is_of_sh(shell.run.main):
                shell.run.environment.empty_local(name)
    options = "".join(name for name in names if re.fullmatch(r"-\w+", name))
    kept = [name for name in names if re.fullmatch(r"\w+", name)]
    _shape(shell, options, [*kept, *(each.name for each in node.assignments)])
    _assign(shell, node.assignments)
    for name in names:
        _assign_text(shell, name)
    if "n" in options and node.keyword != "export":
        for each in node.assignments:  # another name for a variable
            shell.run.environment.set(each.name, (mark(f"${each.name}"),))
    return Result()


def _assign_text(shell: Interpreter, word: str) -> None:
    """``export "$name=$value"``: a word that turns out to give a variable a value."""
    name, given, value = word.partition("=")
    if given and re.fullmatch(r"[A-Za-z_]\w*", name):
        shell.run.environment.set(name, value)


def _shape(shell: Interpreter, options: str, names: Sequence[str]) -> None:
    """What ``declare -A``, ``-i``, ``-u`` and ``-l`` say of what variables may hold."""
    environment = shell.run.environment
    for name in names:
        if "A" in options and not environment.has_keys(name):
            environment.set(name, Items(named=True))
        form = next((option for option in options if option in "iul"), None)
        if form is not None:
            environment.forms[name] = form


def _assign(shell: Interpreter, assignments: Sequence[t.Assignment]) -> None:
    environment = shell.run.environment
    for each in assignments:
        expander = shell.expander()
        if each.items is not None:
            named = environment.has_keys(each.name)
            before = environment.items(each.name) if each.append else ()
            shell.run.expand(cost_of(before))
            items = [expander.of_word(word) for word in each.items]
            environment.set(each.name, array_of(each.name, items, before, named=named))
        elif each.index is not None:
            _set_item(shell, each, expander.text(each.value))
        else:
            environment.set(each.name, _value(shell, each, expander.text(each.value)))


def _value(shell: Interpreter, each: t.Assignment, value: str) -> str:
    environment = shell.run.environment
    kept = environment.text(each.name) if each.append else ""
    form = environment.forms.get(each.name)
    if form == "i":
        joint = "+" if each.append else ""
        number = calculated(f"{kept}{joint}{value}", environment)
        return mark(f"${each.name}") if number is None else str(number)
    if len(kept) + len(value) > MAX_VALUE:
        raise TooMuchError
    if form in ("u", "l") and is_known(value):
        value = value.upper() if form == "u" else value.lower()
    return kept + value


def _set_item(shell: Interpreter, each: t.Assignment, value: str) -> None:
    environment = shell.run.environment
    shell.run.expand(cost_of(environment.items(each.name)))
    key = index_of(each.index or "", each.name, environment)
    kept = environment.item(each.name, key) if each.append else ""
    if len(kept) + len(value) > MAX_VALUE:
        raise TooMuchError
    environment.set_item(each.name, key, kept + value)


def with_redirects(
    shell: Interpreter, redirects: Sequence[t.Redirect], act: Callable[[str | None], Result]
) -> Result:
    """``act`` with its input and output; it is told the file that the output goes to."""
    run = shell.run
    stdin, stdout = run.stdin, run.stdout
    written: str | None = None
    for redirect in redirects:
        match redirect.operator:
            case "<<" | "<<<":
                stdin = _here(shell, redirect)
            case "<":
                stdin = _from_file(shell, redirect)
            case ">" | ">>" | ">|" | "&>" | "&>>" if redirect.descriptor in ("", "1"):
                written = shell.expander().text(redirect.target)
                stdout = Output(run.conditions())
            case ">&" if redirect.descriptor in ("", "1"):
                stdout = None
    muted, run.muted = run.muted, run.muted or any(map(_mutes, redirects))
    try:
        with run.streams(stdin, stdout):
            result = act(written)
    finally:
        run.muted = muted
    if written is not None and stdout is not None and written != "/dev/null":
        _keep(shell, written, redirects, tuple(stdout.parts))
    return result


def _mutes(redirect: t.Redirect) -> bool:
    return redirect.operator.startswith("&>") or redirect.descriptor == "2"


def _keep(
    shell: Interpreter, name: str, redirects: Sequence[t.Redirect], parts: tuple[TextPart, ...]
) -> None:
    """What a script writes into a file, it may hand to a tool later."""
    run = shell.run
    run.effects += not name.startswith(("/proc/", "/sys/", "/dev/"))
    if is_known(name):
        adds = any(redirect.operator.endswith(">>") for redirect in redirects)
        before = run.written.get(name) if adds else ()
        sure = not run.conditions() and before is not None
        run.keep(name, (*(before or ()), *parts) if sure else None, parts)


def _here(shell: Interpreter, redirect: t.Redirect) -> Input:
    if redirect.target is None:
        return Input(())
    expander = shell.expander()
    if redirect.operator == "<<<":
        text = expander.text(redirect.target) + "\n"
        return Input((TextPart(text, shell.span(redirect.target)),))
    parts: list[TextPart] = []
    for part in redirect.target.parts:
        text = expander.text(_alone(part))
        exact = shell.run.text.source.text[part.start : part.end] == text
        exact = exact and shell.run.text.span is None
        parts.append(TextPart(text, shell.span(part), exact))
    return Input(tuple(parts))


def _from_file(shell: Interpreter, redirect: t.Redirect) -> Input:
    name = shell.expander().text(redirect.target)
    parts = read_beside(shell.run, name, shell.span(redirect))
    if parts is not None:
        return Input(parts)
    return Input((TextPart(mark(f"< {shown(name)}"), shell.span(redirect)),))
