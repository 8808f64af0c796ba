"""Decision diagrams, as oxidd has them. Whoever needs some of it has it from here.

oxidd's own ``__init__`` asks for the version of the package, and what Python reads for that takes
a tenth of the time of a small file. So its modules are imported in a package that has not been
run; one that imports oxidd later gets it whole.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec, module_from_spec


@contextmanager
def _package_unrun(name: str) -> Iterator[None]:
    spec = find_spec(name)
    if name in sys.modules or spec is None:
        yield
        return
    sys.modules[name] = module_from_spec(spec)
    try:
        yield
    finally:
        del sys.modules[name]


with _package_unrun("oxidd"):
    from oxidd.bcdd import BCDDFunction, BCDDManager, BCDDSubstitution
    from oxidd.util import BooleanOperator, DDMemoryError

__all__ = ["BCDDFunction", "BCDDManager", "BCDDSubstitution", "BooleanOperator", "DDMemoryError"]
