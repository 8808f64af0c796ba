"""The pages: what a console shows on them is what the commands print, every command there is one,
and the site can be built of them, each link leading somewhere.

``python -m tests.test_docs`` writes anew what the commands print.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click
import pytest

from iptlint.cli import COMMANDS, group
from iptlint.rules.registry import rules

ROOT = Path(__file__).parent.parent
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))
_BLOCK = re.compile(
    r"(?:<!-- in: (?P<folder>\S+) -->\n)?(?P<fence>```+)console\n(?P<text>.*?)^(?P=fence)$",
    re.MULTILINE | re.DOTALL,
)
_FENCED = re.compile(r"^ *(```+)(\w*)\n(.*?)^ *\1$", re.MULTILINE | re.DOTALL)
_COMMAND = re.compile(
    r"^ *(?:\$ )?(?:sudo +)?(?:\.venv/bin/)?iptlint +([^|&;>#\n]+?)(?: *(?:[|&;>#].*)?)$",
    re.MULTILINE,
)
MORE = "…"
"""A line of it stands for any number of lines."""


@dataclass(frozen=True)
class Shown:
    """A command on a page, where it is run and what is shown of it."""

    page: Path
    folder: Path
    command: str
    output: str

    def printed(self) -> str:
        assert self.command.startswith("iptlint ")
        done = subprocess.run(
            [sys.executable, "-m", *shlex.split(self.command)],
            cwd=self.folder,
            env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "80", "NO_COLOR": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
            check=False,
        )
        return "".join(f"{line.rstrip()}\n" for line in done.stdout.splitlines())

    def is_true_of(self, printed: str) -> bool:
        parts = self.output.split(f"{MORE}\n")
        pattern = "(?:.*\n)*".join(map(re.escape, parts))
        return re.fullmatch(pattern, printed) is not None


def shown(page: Path) -> Iterator[Shown]:
    for block in _BLOCK.finditer(page.read_text("utf-8")):
        folder = ROOT / (block["folder"] or ".")
        for part in re.split(r"^\$ ", block["text"], flags=re.MULTILINE)[1:]:
            command, _, output = part.partition("\n")
            yield Shown(page, folder, command, output)


EVERY = [each for page in PAGES for each in shown(page)]


@pytest.mark.parametrize("each", EVERY, ids=lambda e: f"{e.page.name}: {e.command}")
def test_what_is_shown_is_what_is_printed(each: Shown) -> None:
    printed = each.printed()
    assert each.is_true_of(printed), f"run `python -m tests.test_docs`\n{printed}"


_DRAWN = re.compile(
    r"<!-- drawn in: (?P<folder>\S+) by: (?P<command>.*?) -->\n!\[[^\]]*\]\((?P<picture>\S+)\)"
)


def drawn() -> Iterator[tuple[Path, Shown]]:
    """The pictures that a command drew."""
    for page in PAGES:
        for each in _DRAWN.finditer(page.read_text("utf-8")):
            picture = page.parent / each["picture"]
            yield picture, Shown(page, ROOT / each["folder"], each["command"], "")


@pytest.mark.parametrize(("picture", "each"), [*drawn()], ids=lambda x: getattr(x, "name", ""))
def test_a_picture_is_what_the_command_draws(picture: Path, each: Shown) -> None:
    assert each.printed() == picture.read_text("utf-8"), "run `python -m tests.test_docs`"


def named() -> Iterator[tuple[str, str]]:
    for page in PAGES:
        for _, kind, text in _FENCED.findall(page.read_text("utf-8")):
            if kind in ("", "sh", "bash", "console", "yaml"):
                yield from ((page.name, command) for command in _COMMAND.findall(text))


@pytest.mark.parametrize(("page", "command"), sorted(set(named())))
def test_every_command_and_option_is_there(page: str, command: str) -> None:
    words = command.split()
    name = words[0] if words[0] in COMMANDS else "check"
    found = group.get_command(click.Context(group), name)
    assert found is not None
    context = click.Context(found)
    options = {word for param in found.get_params(context) for word in param.opts}
    given = {word.partition("=")[0] for word in words if re.match(r"--?[a-z]", word)}
    assert given <= options | {"--version", "--help", "-h"}


def test_each_command_has_a_page() -> None:
    """Its own, or one that tells of several."""
    told = "".join(page.read_text("utf-8") for page in PAGES if page.parent.name == "docs")
    for name in COMMANDS:
        assert f"`iptlint {name}" in told, f"no page of docs tells of `iptlint {name}`"


def test_the_site_can_be_built(tmp_path: Path) -> None:
    pytest.importorskip("sphinx")
    pytest.importorskip("myst_parser")
    pytest.importorskip("furo")
    built = subprocess.run(
        [sys.executable, str(ROOT / "docs/site/build.py"), str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert built.returncode == 0, built.stderr
    for rule in rules():
        page = tmp_path / "rules" / rule.meta.code / "index.html"
        assert rule.url.endswith(f"/rules/{rule.meta.code}/")
        assert rule.meta.name in page.read_text("utf-8")


def test_a_link_that_leads_nowhere_is_an_error(tmp_path: Path) -> None:
    spec = importlib.util.spec_from_file_location("site_build", ROOT / "docs/site/build.py")
    assert spec is not None
    assert spec.loader is not None
    build = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(build)
    page = ROOT / "docs" / "page.md"
    site = build.Site()
    assert site.linked("page", page, "[a](fixes.md#x) `[b](c)`") == "[a](fixes.md#x) `[b](c)`"
    assert site.linked("page", page, "[a](../README.md)") == "[a](readme.md)"
    with pytest.raises(build.BrokenLinkError, match=r"nowhere\.md"):
        site.linked("page", page, "[a](nowhere.md)")


def write_anew() -> None:
    for picture, drawing in drawn():
        picture.write_text(drawing.printed(), "utf-8")
    for page in PAGES:
        text = page.read_text("utf-8")
        for each in shown(page):
            printed = each.printed()
            if not each.is_true_of(printed):
                before = f"$ {each.command}\n{each.output}"
                text = text.replace(before, f"$ {each.command}\n{printed}", 1)
        if text != page.read_text("utf-8"):
            page.write_text(text, "utf-8")


if __name__ == "__main__":
    write_anew()
