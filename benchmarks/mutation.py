"""Would a test notice? Makes small faults in the code, one at a time, and runs the tests.

``python benchmarks/mutation.py iptlint/netfilter --sample 100``: of the modules below a folder, a
sample of their mutants by a seed. Each is put in the place of its function, in a process of its
own; what is worked out where a module is loaded is left alone. The tests that name the module run,
those of its room first, then the fixtures of rules, as far as ``--seconds`` of the processor go;
of a rule those that name its code. Prints who survives, and how many are killed; docs/testing.md
has the figures.
"""

from __future__ import annotations

import ast
import gc
import importlib
import os
import random
import re
import signal
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import CodeType, FunctionType

import click

ROOT = Path(__file__).parent.parent
PASSED, FAILED, NO_TESTS = 0, 1, 5
TIMED_OUT = 99
NOT_IN_A_FUNCTION = 98

_COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}
_OPERATORS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
}


@dataclass(frozen=True)
class Mutant:
    """The fault number ``number`` of a module."""

    path: Path
    number: int
    line: int
    what: str

    @property
    def module(self) -> str:
        parts = self.path.relative_to(ROOT).with_suffix("").parts
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)

    def __str__(self) -> str:
        return f"{self.path.relative_to(ROOT)}:{self.line}: {self.what}"


def faults(tree: ast.AST) -> Iterator[tuple[ast.AST, str, Callable[[], None]]]:
    """Each with the node it is made in, and what makes it; in an order that is always the same.
    Types of annotations and texts are left alone."""
    left_alone = {
        id(inner)
        for node in ast.walk(tree)
        for note in (getattr(node, "annotation", None), getattr(node, "returns", None))
        if note is not None
        for inner in ast.walk(note)
    }
    for node in ast.walk(tree):
        if id(node) not in left_alone:
            yield from ((node, what, make) for what, make in _faults(node))


def _faults(node: ast.AST) -> Iterator[tuple[str, Callable[[], None]]]:
    match node:
        case ast.Compare(ops=[op]) if type(op) in _COMPARISONS:
            other = _COMPARISONS[type(op)]
            yield f"{_name(op)} -> {other.__name__}", lambda: setattr(node, "ops", [other()])
        case ast.BoolOp():
            swapped = ast.Or if isinstance(node.op, ast.And) else ast.And
            yield f"{_name(node.op)} -> {swapped.__name__}", lambda: setattr(node, "op", swapped())
        case ast.BinOp() | ast.AugAssign() if type(node.op) in _OPERATORS:
            operator = _OPERATORS[type(node.op)]
            yield (
                f"{_name(node.op)} -> {operator.__name__}",
                lambda: setattr(node, "op", operator()),
            )
        case ast.UnaryOp(op=ast.Not() | ast.Invert()):
            yield f"without {_name(node.op)}", lambda: setattr(node, "op", ast.UAdd())
        case ast.If() | ast.IfExp() | ast.While():
            denied = ast.UnaryOp(ast.Not(), node.test)
            yield "if -> if not", lambda: setattr(node, "test", denied)
        case ast.Constant(value=bool() as truth):
            yield f"{truth} -> {not truth}", lambda: setattr(node, "value", not truth)
        case ast.Constant(value=int() as number):
            yield f"{number} -> {number + 1}", lambda: setattr(node, "value", number + 1)
        case ast.Continue() | ast.Break():
            pass


def _name(node: ast.AST) -> str:
    return type(node).__name__


def mutants(path: Path) -> list[Mutant]:
    tree = ast.parse(path.read_text("utf-8"))
    found = (
        (number, getattr(node, "lineno", 0), what)
        for number, (node, what, _) in enumerate(faults(tree))
    )
    return [Mutant(path, number, line, what) for number, line, what in found]


def mutated(mutant: Mutant) -> ast.Module:
    tree = ast.parse(mutant.path.read_text("utf-8"))
    for number, (_, _, make) in enumerate(faults(tree)):
        if number == mutant.number:
            make()
            break
    # `not x` is made `x` by way of `+x`, which sets do not have.
    _WithoutPlus().visit(tree)
    return ast.fix_missing_locations(tree)


class _WithoutPlus(ast.NodeTransformer):
    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.AST:
        self.generic_visit(node)
        return node.operand if isinstance(node.op, ast.UAdd) else node


def functions(code: CodeType) -> Iterator[CodeType]:
    """Those of a module's code, methods too."""
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield constant
            yield from functions(constant)


def put_in_place(mutant: Mutant) -> bool:
    """Gives each function that is loaded the code that the mutant has in its place; whether the
    mutant is in a function at all."""
    path = str(mutant.path)
    new = {
        (code.co_qualname, code.co_firstlineno): code
        for code in functions(compile(mutated(mutant), path, "exec"))
    }
    changed = False
    for thing in gc.get_objects():
        if isinstance(thing, FunctionType) and thing.__code__.co_filename == path:
            old = thing.__code__
            code = new.get((old.co_qualname, old.co_firstlineno))
            if code is not None and code != old:
                thing.__code__ = code
                changed = True
    return changed


def warm_up() -> None:
    """Loads all that tests ask for, and makes the parsers, so that no process has to."""
    import pytest  # noqa: F401

    from iptlint.linter.run import lint
    from iptlint.source import SourceFile

    for name, _ in sorted(_modules()):
        importlib.import_module(name)
    for path, text in _TEXTS.items():
        lint([SourceFile(path, text)])


_TEXTS = {
    "rules.v4": "*filter\n:INPUT DROP [0:0]\n-A INPUT -p tcp --dport 22 -j ACCEPT\nCOMMIT\n",
    "rules.nft": "table ip t {\n chain c {\n  ip saddr 10.0.0.1 drop\n }\n}\n",
    "rules.sh": "#!/bin/sh\niptables -A INPUT -j DROP\n",
}


def _modules() -> Iterator[tuple[str, Path]]:
    for path in (ROOT / "iptlint").rglob("*.py"):
        if path.name != "__main__.py":
            yield Mutant(path, 0, 0, "").module, path


DOCUMENTED = "tests/test_rules_documented.py"
Run = tuple[str, ...]
"""Arguments of pytest: a file of tests, and what is chosen of it."""


def runs_of(module: str) -> list[Run]:
    """What may notice a fault of the module, what is nearest to it first."""
    code = re.search(r"\.(ipt\d{3})_", module)
    if code:
        named = re.compile(code[1].upper())
        nearest: list[Run] = [(DOCUMENTED, "-k", code[1].upper())]
    else:
        room, _, name = module.rpartition(".")
        named = re.compile(
            rf"from {re.escape(module)} import|from {re.escape(room)} import .*\b{name}\b"
        )
        nearest = []
    paths = sorted((ROOT / "tests").rglob("test_*.py"))
    texts = ((path, path.read_text("utf-8")) for path in paths if "kernel" not in path.parts)
    found = [path for path, text in texts if named.search(text)]
    found.sort(key=lambda path: module.split(".")[1] not in path.parts)
    files: list[Run] = [(str(path.relative_to(ROOT)),) for path in found]
    room_s = sorted((ROOT / "tests" / module.split(".")[1]).glob("test_*.py"))
    others: list[Run] = [(str(path.relative_to(ROOT)),) for path in room_s]
    others += [(DOCUMENTED, "-k", "bad or good")]
    return list(dict.fromkeys([*nearest, *files, *([] if code else others)]))


def in_a_process(work: Callable[[], int], seconds: float) -> tuple[int, float]:
    """The status of the work, and how long it takes of the processor."""
    child = os.fork()
    if child == 0:
        nothing = os.open(os.devnull, os.O_RDWR)
        os.dup2(nothing, 1)
        os.dup2(nothing, 2)
        signal.signal(signal.SIGPROF, lambda *_: os._exit(TIMED_OUT))
        signal.setitimer(signal.ITIMER_PROF, seconds)
        try:
            status = work()
        except BaseException:
            status = FAILED
        os._exit(status)
    _, status, used = os.wait4(child, 0)
    return os.waitstatus_to_exitcode(status), used.ru_utime + used.ru_stime


def tested(run: Run) -> int:
    import pytest

    options = ("-x", "-q", "-n0", "-p", "no:cacheprovider", "--no-header", "--tb=no")
    return int(pytest.main([*options, *run]))


def fate(mutant: Mutant, seconds: float) -> str:
    """What becomes of it in so many seconds of the processor: whatever else the machine does, they
    are the tests' own. Tests that take longer than where nothing is wrong hang."""

    def work(run: Run) -> int:
        return tested(run) if put_in_place(mutant) else NOT_IN_A_FUNCTION

    left = seconds
    for run in runs_of(mutant.module):
        status, taken = in_a_process(lambda: work(run), left)  # noqa: B023
        if status == NOT_IN_A_FUNCTION:
            return "elsewhere"
        if status == TIMED_OUT and unharmed(run, seconds)[1] < left / 2:
            return "hangs"
        if status not in (PASSED, NO_TESTS, TIMED_OUT):
            return "killed" if unharmed(run, seconds)[0] in (PASSED, TIMED_OUT) else "unjudged"
        left -= taken
        if left < seconds / 10:
            break
    return "survives"


@cache
def unharmed(run: Run, seconds: float) -> tuple[int, float]:
    """What the tests say where nothing is wrong, and how long they take."""
    return in_a_process(lambda: tested(run), seconds)


@click.command()
@click.argument("folders", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--sample", default=100, show_default=True, help="How many mutants.")
@click.option("--seed", default=0, show_default=True)
@click.option("--seconds", default=50, show_default=True, help="As long as its tests may take.")
def main(folders: Sequence[Path], sample: int, seed: int, seconds: int) -> None:
    paths = [
        file.resolve()
        for folder in folders
        for file in (sorted(folder.rglob("*.py")) if folder.is_dir() else [folder])
    ]
    everything = [mutant for path in paths for mutant in mutants(path)]
    drawn = random.Random(seed).sample(everything, min(sample, len(everything)))
    os.chdir(ROOT)
    warm_up()
    counted = Counter[str]()
    for mutant in drawn:
        what = fate(mutant, seconds)
        counted[what] += 1
        click.echo(f"{what:9} {mutant}")
    fates = ", ".join(f"{number} {what}" for what, number in counted.items())
    click.echo(f"{fates}; there are {len(everything)} mutants in all")


if __name__ == "__main__":
    main()
