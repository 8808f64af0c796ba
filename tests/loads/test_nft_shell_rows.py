"""What nft 1.0.6 refuses of the commands in its own tests (``tests/shell``) and we take, with the
reason; all other commands that a text can hold are answered as nft does."""

from __future__ import annotations

import pytest

from tests.loads.test_nft import loaded

FLOWTABLE = "add flowtable {} {{ hook ingress priority {}; {} }}\n"
LOOPBACK = "devices = { lo };"

THE_HOST_HAS_NO_MODULE_FOR_FLOWTABLES = {
    "cache/0008_delete_by_handle_0": ("t", FLOWTABLE.format("t f", "0", "")),
    "flowtable/0002create_flowtable_0": ("t", FLOWTABLE.format("t f", "10", LOOPBACK) * 2),
    "flowtable/0003add_after_flush_0": ("x", FLOWTABLE.format("x y", "0", LOOPBACK)),
    "flowtable/0004delete_after_add_0": ("x", FLOWTABLE.format("x y", "0", LOOPBACK)),
    "flowtable/0005delete_in_use_1": ("x", FLOWTABLE.format("x y", "0", LOOPBACK)),
    "flowtable/0009deleteafterflush_0": ("x", FLOWTABLE.format("x f", "0", LOOPBACK)),
    "flowtable/0010delete_handle_0": (
        "inet t",
        FLOWTABLE.format("inet t f", "filter", LOOPBACK),
    ),
    "flowtable/0011deleteafterflush_0": ("x", FLOWTABLE.format("x f", "0", LOOPBACK)),
}


@pytest.mark.parametrize("place", THE_HOST_HAS_NO_MODULE_FOR_FLOWTABLES)
def test_another_host_has_the_module_for_flowtables(place: str) -> None:
    table, command = THE_HOST_HAS_NO_MODULE_FOR_FLOWTABLES[place]
    assert loaded(f"add table {table}\n{command}").taken


@pytest.mark.parametrize(
    "command",
    ["delete table handle 4000", "add table ip t\nadd chain ip t c\ndelete chain ip t handle 100"],
)
def test_the_kernel_gives_handles(command: str) -> None:
    """cache/0009_delete_by_handle_incorrect_0: a host may have such a one."""
    assert loaded(command + "\n").taken


@pytest.mark.parametrize(
    "elements",
    [
        ("add", "1-5"),
        ("add", "1-5", "delete", "1-5", "add", "1-5", "delete", "1-5"),
        ("add", "5-9", "delete", "5-9", "add", "6-10", "delete", "6-10"),
    ],
)
def test_what_the_kernel_does_not_find_twice_in_one_transaction(elements: tuple[str, ...]) -> None:
    """Linux 6.18 refuses to take out of a set of intervals what was put in where the same file took
    something out before; which releases do is not known, so nothing is said."""
    words = zip(elements[::2], elements[1::2], strict=True)
    lines = "".join(f"{verb} element ip t s {{ {value} }}\n" for verb, value in words)
    head = "add table ip t\nadd set ip t s { type inet_service; flags interval; }\n"
    assert loaded(head + lines).taken
