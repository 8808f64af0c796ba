"""oxidd without what it does not need for that, and whole for whoever else imports it."""

from __future__ import annotations

import subprocess
import sys

import pytest

USED = (
    "import oxidd; print(oxidd.__version__ > '0', oxidd.zbdd.ZBDDManager is not None,"
    " oxidd.bcdd.BCDDManager is diagrams.BCDDManager, oxidd.util.DDMemoryError is"
    " diagrams.DDMemoryError, oxidd.bcdd.BCDDManager(100, 100, 1).true().satisfiable())"
)


@pytest.mark.parametrize("first", ["", "import oxidd; ", "import oxidd.bcdd; "])
def test_oxidd_is_whole_for_others(first: str) -> None:
    program = f"{first}from iptlint.packets import diagrams; {USED}"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout == "True True True True True\n"


def test_only_what_is_needed_is_imported() -> None:
    program = "import sys; from iptlint.packets import diagrams; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    loaded = set(done.stdout.split())
    assert {name for name in loaded if name.startswith("oxidd")} == {
        *("oxidd._oxidd", "oxidd.bcdd", "oxidd.util"),
    }
    assert "importlib.metadata" not in loaded
