"""What the kernel does, and what people ask of it, is tested where it stands: some test imports
from each module of the two rooms."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.test_layers import PACKAGE, imported

TESTS = Path(__file__).parent
ROOMS = ("netfilter", "analysis")
MODULES = sorted(
    f"iptlint.{room}.{path.stem}"
    for room in ROOMS
    for path in (PACKAGE / room).glob("*.py")
    if path.stem != "__init__"
)
IMPORTED = {name for path in TESTS.rglob("test_*.py") for name in imported(path)}


@pytest.mark.parametrize("module", MODULES)
def test_some_test_imports_it(module: str) -> None:
    assert module in IMPORTED


def test_the_test_sees_modules() -> None:
    assert "iptlint.netfilter.firewall" in MODULES
    assert "iptlint.netfilter.firewall" in IMPORTED
