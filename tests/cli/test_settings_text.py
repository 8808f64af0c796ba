"""Configurations, policy tests and baselines are read within bounds, as rules are."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from iptlint.dialects.settings_text import MAX_SETTINGS, settings_text
from iptlint.policy.toml_text import toml_of
from tests.cli.conftest import CLEAN, Run

OPTIONS = [
    ("check", "--config"),
    ("check", "--baseline"),
    ("test", "--tests"),
    ("test", "--packets"),
]


@pytest.mark.parametrize(("command", "option"), OPTIONS)
def test_a_device_has_no_end(command: str, option: str, tmp_path: Path, run: Run) -> None:
    rules = tmp_path / "rules.v4"
    rules.write_text(CLEAN, "utf-8")
    result = run(command, option, "/dev/zero", str(rules))
    assert (result.returncode, result.stdout) == (2, "")
    assert "/dev/zero: is a device" in result.stderr


def test_a_file_that_is_too_long_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / ".iptlint.toml"
    with path.open("wb") as file:
        file.truncate(1 << 40)  # a hole, which takes no room
    with pytest.raises(OSError, match=f"is longer than {MAX_SETTINGS} bytes"):
        settings_text(str(path), MAX_SETTINGS)


def test_lines_end_as_python_reads_them(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"\xef\xbb\xbfa\r\nb\rc\n")
    assert settings_text(str(path), 100, "utf-8-sig") == path.read_text("utf-8-sig")


@pytest.mark.parametrize(
    "form", ["[{}]\n", "{} = 1\n", "a = {{ {} = 1 }}\n", "[[ {} ]]\n"], ids=str
)
@pytest.mark.parametrize("part", ["a", '"a b"', "'a'", "a-1"])
def test_keys_in_keys_are_bounded(form: str, part: str) -> None:
    """tomllib takes 45 s for 100,000 of them."""
    few, many = (form.format(" . ".join([part] * count)) for count in (50, 600))
    assert toml_of(few) == tomllib.loads(few)
    with pytest.raises(ValueError, match="too deeply"):
        toml_of(many)


def test_addresses_are_no_keys() -> None:
    text = f"a = {[f'10.0.{n >> 8}.{n & 255}' for n in range(3000)]}\n"
    assert toml_of(text) == tomllib.loads(text)
