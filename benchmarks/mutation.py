"""Would a test notice? Makes small faults in the code, one at a time, and runs the tests.

``python benchmarks/mutation.py iptlint/netfilter --sample 100 --seed 1``: of the modules below a
folder, a sample of their mutants by a seed. The tests are collected once and each is run once where
nothing is wrong, to see which functions it enters (``--seen`` keeps that for the next call). Each
mutant is put in the place of its function in a process of its own, and the tests that enter the
function run, those of its room first and the quick ones before the slow ones, as far as
``--seconds`` of the processor go; ``--tests`` names which may run at all. What is worked out where
a module is loaded is left alone. Prints who survives, and how many are killed; docs/testing.md has
the figures.
"""

from __future__ import annotations

import ast
import gc
import importlib
import inspect
import json
import os
import random
import signal
import sys
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import CodeType, FrameType, FunctionType
from typing import IO

import click
import pytest

ROOT = Path(__file__).parent.parent
TESTS = [
    *("tests/packets", "tests/netfilter", "tests/analysis", "tests/oracle", "tests/model"),
    *("tests/findings", "tests/rules", "tests/test_rules_documented.py", "tests/hosts"),
    *("tests/cloud", "tests/policy"),
]
PASSED, FAILED, TIMED_OUT = 0, 1, -signal.SIGPROF
OF_A_FUNCTION = inspect.CO_OPTIMIZED
"""What the code of a function has, and that of a module or a class has not."""

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

    def __str__(self) -> str:
        return f"{self.path.relative_to(ROOT)}:{self.line}: {self.what}"

    @property
    def room(self) -> str:
        return self.path.relative_to(ROOT).parts[1]

    @cached_property
    def function(self) -> str | None:
        """Which it is in, as tests enter it; None where it is in none."""
        old = compile(self.path.read_text("utf-8"), str(self.path), "exec")
        new = compile(mutated(self), str(self.path), "exec")
        pairs = zip(functions(old), functions(new), strict=True)
        return next((entry(one) for one, other in pairs if one != other), None)


def faults(tree: ast.AST) -> Iterator[tuple[ast.AST, str, Callable[[], None]]]:
    """Each with the node it is made in, and what makes it; in an order that is always the same.
    Types of annotations, texts, and whether ``zip`` is strict are left alone."""
    left_alone = {
        id(inner)
        for node in ast.walk(tree)
        for note in (
            getattr(node, "annotation", None),
            getattr(node, "returns", None),
            _strict(node),
        )
        if note is not None
        for inner in ast.walk(note)
    }
    for node in ast.walk(tree):
        if id(node) not in left_alone:
            yield from ((node, what, make) for what, make in _faults(node))


def _strict(node: ast.AST) -> ast.expr | None:
    return node.value if isinstance(node, ast.keyword) and node.arg == "strict" else None


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
    """Those of a module's code, methods too, each before those inside of it."""
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            if constant.co_flags & OF_A_FUNCTION:
                yield constant
            yield from functions(constant)


def entry(code: CodeType) -> str:
    """The function that a module or a class has, of what is defined inside of one."""
    name = code.co_qualname.split(".<locals>")[0]
    return f"{Path(code.co_filename).relative_to(ROOT)}:{name}"


def loaded() -> dict[str, list[FunctionType]]:
    """The functions of each file of ours."""
    found: dict[str, list[FunctionType]] = {}
    below = f"{ROOT / 'iptlint'}/"
    for thing in gc.get_objects():
        if isinstance(thing, FunctionType) and thing.__code__.co_filename.startswith(below):
            found.setdefault(thing.__code__.co_filename, []).append(thing)
    return found


def put_in_place(mutant: Mutant, among: Sequence[FunctionType]) -> None:
    """Gives each function of its file the code that the mutant has in its place."""
    new = {
        (code.co_qualname, code.co_firstlineno): code
        for code in functions(compile(mutated(mutant), str(mutant.path), "exec"))
    }
    for function in among:
        old = function.__code__
        function.__code__ = new.get((old.co_qualname, old.co_firstlineno), old)


def warm_up() -> None:
    """Loads all that tests ask for, and makes the parsers, so that no process has to. No packets
    are looked at: diagrams have threads, which a forked process has not."""
    from iptlint.dialects import read
    from iptlint.source import SourceFile

    for path in sorted((ROOT / "iptlint").rglob("[!_]*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        with suppress(ModuleNotFoundError):  # of an extra that is not installed
            importlib.import_module(".".join(parts))
    for name, text in _TEXTS.items():
        read(SourceFile(name, text))


_TEXTS = {
    "rules.v4": "*filter\n:INPUT DROP [0:0]\n-A INPUT -p tcp --dport 22 -j ACCEPT\nCOMMIT\n",
    "rules.nft": "table ip t {\n chain c {\n  ip saddr 10.0.0.1 drop\n }\n}\n",
    "rules.sh": "#!/bin/sh\niptables -A INPUT -j DROP\n",
}


def in_a_process(work: Callable[[], int], seconds: float) -> int:
    """The status of the work, which may take so many seconds of the processor."""
    child = os.fork()
    if child == 0:
        nothing = os.open(os.devnull, os.O_RDWR)
        os.dup2(nothing, 1)
        os.dup2(nothing, 2)
        signal.signal(signal.SIGPROF, signal.SIG_DFL)  # ends it in the middle of native code, too
        signal.setitimer(signal.ITIMER_PROF, seconds)
        try:
            status = work()
        except BaseException:
            status = FAILED
        os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@dataclass(frozen=True)
class Seen:
    """What a test does where nothing is wrong."""

    passed: bool
    seconds: float
    entered: frozenset[str]


class Suite:
    """The tests, collected once: a plugin of pytest that runs them in its own order."""

    def __init__(self, kept: Path, drawn: Sequence[Mutant], seconds: float) -> None:
        self.kept, self.drawn, self.seconds = kept, drawn, seconds
        self.failed = False
        self.seen: dict[str, Seen] = {}
        self.items: dict[str, pytest.Item] = {}
        self.alone: dict[str, bool] = {}
        self.functions: dict[str, list[FunctionType]] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.failed |= report.failed

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        self.items = {item.nodeid: item for item in session.items}
        gc.collect()
        self.functions = loaded()
        gc.freeze()  # what the collection has left is not for a forked process to free
        self.see_all()
        counted = Counter[str]()
        for mutant in self.drawn:
            what = self.fate(mutant)
            counted[what.split()[0]] += 1
            click.echo(f"{what:9} {mutant}")
        click.echo(", ".join(f"{number} {what}" for what, number in counted.items()))
        return True

    def see_all(self) -> None:
        """Each file of tests in a process of its own, so that it has to work out for itself what
        another file may have kept."""
        self.kept.touch()
        known = {json.loads(line)[0] for line in self.kept.read_text("utf-8").splitlines()}
        files: dict[str, list[str]] = {}
        for name in self.items:
            if name not in known:
                files.setdefault(name.split("::")[0], []).append(name)
        for turn, (file, names) in enumerate(files.items(), start=1):
            click.echo(f"looks at what tests enter: {turn} of {len(files)}, {file}", err=True)
            status = in_a_process(lambda: self.see(names), 3600)  # noqa: B023
            if status != PASSED:
                click.echo(f"{file}: ended with {status}, and what follows kills nothing")
        for line in self.kept.read_text("utf-8").splitlines():
            name, passed, taken, entered = json.loads(line)
            self.seen[name] = Seen(passed, taken, frozenset(entered))

    def see(self, names: Sequence[str]) -> int:
        """Runs them and keeps what each enters."""
        entered: dict[int, CodeType] = {}  # by who it is: the hash of code is worked out each time

        def called(frame: FrameType, event: str, _: object) -> None:
            if event == "call":
                entered[id(frame.f_code)] = frame.f_code

        sys.settrace(called)  # of Python's functions only: cheaper than a profile
        before = time.process_time()
        with self.kept.open("a", encoding="utf-8") as kept:
            for name, passed in self.outcomes(names):
                taken = time.process_time() - before
                ours = [code for code in [*entered.values()] if code.co_filename in self.functions]
                found = sorted({entry(code) for code in ours if code.co_flags & OF_A_FUNCTION})
                kept.write(json.dumps((name, passed, round(taken, 4), found)) + "\n")
                entered.clear()
                before = time.process_time()
        return PASSED

    def outcomes(self, names: Sequence[str]) -> Iterator[tuple[str, bool]]:
        """Runs them in this process: each, and whether it passes."""
        items = [self.items[name] for name in names]
        for item, following in zip(items, [*items[1:], None], strict=True):
            self.failed = False
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            yield item.nodeid, not self.failed

    def fate(self, mutant: Mutant) -> str:
        """What becomes of it. The tests that are chosen take half of the time where nothing is
        wrong, whatever else the machine does; those that take more than all of it hang."""
        names, ended = self.nearest(mutant), set[str]()
        while names:
            with tempfile.TemporaryFile("w+") as told:
                status = in_a_process(lambda: self.work(mutant, names, told), self.seconds)
                told.seek(0)
                last = told.read()
            if status == PASSED:
                return f"survives ({len(names)} tests)"
            if status == TIMED_OUT:
                return "hangs"
            if status < 0 and last not in ended:
                ended.add(last)  # by a signal, which may be of the fork and not of the fault
            elif self.passes_alone(last):
                return "killed"
            else:
                names.remove(last)
        return "survives (no test)"

    def work(self, mutant: Mutant, names: Sequence[str], told: IO[str]) -> int:
        """Tells which test it is at: that is the one that fails, or ends the process."""
        put_in_place(mutant, self.functions[str(mutant.path)])
        for name in names:
            told.seek(0)
            told.truncate()
            told.write(name)
            told.flush()
            if self.status(name) != PASSED:
                return FAILED
        return PASSED

    def passes_alone(self, name: str) -> bool:
        if name not in self.alone:
            status = in_a_process(lambda: self.status(name), self.seconds)
            self.alone[name] = status == PASSED
        return self.alone[name]

    def status(self, name: str) -> int:
        return PASSED if all(passed for _, passed in self.outcomes([name])) else FAILED

    def nearest(self, mutant: Mutant) -> list[str]:
        """The tests that enter its function and pass, as far as half of the time goes."""
        able = [
            (f"tests/{mutant.room}/" not in name, seen.seconds, name)
            for name, seen in self.seen.items()
            if seen.passed and mutant.function in seen.entered and name in self.items
        ]
        chosen, left = [], self.seconds / 2
        for _, seconds, name in sorted(able):
            if seconds <= left:
                chosen.append(name)
                left -= seconds
        return chosen


@click.command()
@click.argument("folders", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--sample", default=100, show_default=True, help="How many mutants.")
@click.option("--seed", default=0, show_default=True)
@click.option("--seconds", default=50.0, show_default=True, help="As long as its tests may take.")
@click.option("--tests", multiple=True, default=TESTS, help="Which may kill; all by default.")
@click.option("--seen", type=click.Path(path_type=Path), help="Keeps what each test enters.")
def main(
    folders: Sequence[Path],
    sample: int,
    seed: int,
    seconds: float,
    tests: Sequence[str],
    seen: Path | None,
) -> None:
    paths = [
        file.resolve()
        for folder in folders
        for file in (sorted(folder.rglob("*.py")) if folder.is_dir() else [folder])
    ]
    everything = [mutant for path in paths for mutant in mutants(path)]
    random.Random(seed).shuffle(everything)
    drawn = [mutant for mutant in everything[: 2 * sample] if mutant.function][:sample]
    os.chdir(ROOT)
    warnings.filterwarnings("ignore", "This process .* is multi-threaded", DeprecationWarning)
    warm_up()
    with tempfile.TemporaryDirectory() as scratch:
        os.environ["HYPOTHESIS_STORAGE_DIRECTORY"] = scratch
        suite = Suite(seen or Path(scratch) / "seen.jsonl", drawn, seconds)
        options = ("-q", "-n0", "-s", "-p", "no:cacheprovider", "--no-header", "--tb=no")
        pytest.main([*options, f"--basetemp={scratch}/tests", *tests], plugins=[suite])


if __name__ == "__main__":
    main()
