"""Whole hosts: what is expected there is all that the whole catalogue may say."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.expectations import FIXTURES, difference, expected, lint

HOSTS = sorted(path for path in (FIXTURES / "hosts").iterdir() if path.is_dir())


@pytest.mark.parametrize("host", HOSTS, ids=lambda host: host.name)
def test_a_host(host: Path) -> None:
    missing, surplus = difference(lint(host), expected(host))
    assert (missing, surplus) == ([], [])


def test_there_are_hosts() -> None:
    assert HOSTS
