"""Mutation testing makes one fault at a time, and in a function that is loaded."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from benchmarks import mutation

TEXT = """LIMIT = 3


def least(one: int, other: int) -> int:
    def smaller() -> bool:
        return one < other

    return one if smaller() else other
"""
NAME = "iptlint/room/module.py"


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(mutation, "ROOT", tmp_path)
    path = tmp_path / NAME
    path.parent.mkdir(parents=True)
    path.write_text(TEXT, "utf-8")
    return path


def test_each_is_one_fault_and_knows_its_function(path: Path) -> None:
    assert sorted((str(each), each.function) for each in mutation.mutants(path)) == [
        (f"{NAME}:1: 3 -> 4", None),
        (f"{NAME}:6: Lt -> LtE", f"{NAME}:least"),
        (f"{NAME}:8: if -> if not", f"{NAME}:least"),
    ]


def test_a_function_gets_the_code_of_the_mutant(path: Path) -> None:
    spec = importlib.util.spec_from_file_location("module", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.least(1, 2) == 1
    (mutant,) = (each for each in mutation.mutants(path) if each.what == "if -> if not")
    mutation.put_in_place(mutant, [module.least])
    assert module.least(1, 2) == 2
