"""The documentation as a site: ``python docs/site/build.py DIRECTORY``.

The pages are those of the checkout, and one of each lint rule from its docstring. Links between
them are made links between pages of the site; one that leads nowhere is an error, as is whatever
sphinx warns of.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

SITE = Path(__file__).parent
ROOT = SITE.parents[1]
sys.path.insert(0, str(ROOT))

from iptlint.cli import COMMANDS  # noqa: E402
from iptlint.reports.rule_docs import document, markdown_table  # noqa: E402
from iptlint.rules.meta import Group  # noqa: E402
from iptlint.rules.registry import rules  # noqa: E402

OF_THE_CHECKOUT = ("ARCHITECTURE", "CHANGELOG", "CONTRIBUTING", "GLOSSARY", "README", "SECURITY")
"""Pages beside the code, which a checkout shows."""

_FENCED = re.compile(r"^( *)(```+|~~~+).*?^\1\2 *$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"`[^`\n]*`|(!?\[(?:[^\[\]]|\[[^\]]*\])*\])\(([^)\s]+)\)")
"""What stands in backquotes is none."""
_ADDRESS = re.compile(r"(?<![<(`\w])(https?://[^\s)>`,]+[^\s)>`,.;])")
_CODE = re.compile(r"`[^`]*`|\b(IPT\d{3})\b")
_OUTSIDE = re.compile(r"[a-z]+:|#")


class BrokenLinkError(Exception):
    """A link of a page leads to nothing."""


def pages() -> dict[str, Path]:
    """Every page of the site, by its name there, and the file that it is made of."""
    found = {name.lower(): ROOT / f"{name}.md" for name in OF_THE_CHECKOUT}
    for path in sorted((ROOT / "docs").rglob("*.md")):
        found[path.relative_to(ROOT / "docs").with_suffix("").as_posix()] = path
    return found


def outside_code(text: str) -> Iterator[tuple[bool, str]]:
    """The text in pieces, each with whether it is a block of code."""
    start = 0
    for block in _FENCED.finditer(text):
        yield False, text[start : block.start()]
        yield True, block[0]
        start = block.end()
    yield False, text[start:]


class Site:
    """``files``: what pages lead to that is no page."""

    def __init__(self) -> None:
        self.pages = pages()
        self._names = {path.resolve(): name for name, path in self.pages.items()}
        self.files: set[Path] = set()

    def text(self, name: str, path: Path) -> str:
        pieces = outside_code(path.read_text("utf-8"))
        return "".join(
            each if is_code else self.linked(name, path, each) for is_code, each in pieces
        )

    def linked(self, name: str, path: Path, text: str) -> str:
        """A piece of the page, with its links as the site has them."""

        def put(link: re.Match[str]) -> str:
            return link[0] if link[1] is None else f"{link[1]}{self._target(name, path, link[2])}"

        return _LINK.sub(put, text)

    def _target(self, name: str, path: Path, link: str) -> str:
        if _OUTSIDE.match(link):
            return f"({link})"
        file, _, anchor = link.partition("#")
        to = (path.parent / file).resolve()
        up = "../" * name.count("/")
        if to in self._names:
            return f"({up}{self._names[to]}.md{f'#{anchor}' if anchor else ''})"
        if to.is_file() and to.is_relative_to(ROOT):
            self.files.add(to)
            return f"({up}{to.relative_to(ROOT).as_posix()})"
        if to.is_dir() and to.is_relative_to(ROOT):
            return ""  # a folder of the checkout: its name is said
        raise BrokenLinkError(f"{path.relative_to(ROOT)}: {link} leads to nothing")


def rule_page(code: str, text: str) -> str:
    """As ``iptlint rule`` prints it, without the address of this page; addresses are links."""
    lines = text.rstrip().rsplit("\n", 1)[0] + "\n"
    title, _, body = lines.partition("\n")
    return f"{title}\n" + "".join(
        each if is_code else _with_links(code, each) for is_code, each in outside_code(body)
    )


def _with_links(code: str, text: str) -> str:
    """Addresses, and the codes of other rules, lead there."""

    def put(found: re.Match[str]) -> str:
        other = found[1]
        return found[0] if other in (None, code) else f"[{other}]({other}.md)"

    return _CODE.sub(put, _ADDRESS.sub(r"<\1>", text))


def rule_index() -> str:
    parts = ["# Lint rules", "Each is a file of the code; its page is made of what that says."]
    for group in Group:
        own = [rule for rule in rules() if rule.meta.group is group]
        table = re.sub(r"\b(IPT\d{3})\b(?= *\|)", r"[\1](\1.md)", markdown_table(own))
        parts.append(f"## {group.value.capitalize()}\n\n{table}")
    codes = "\n".join(rule.meta.code for rule in rules())
    parts.append(f"```{{toctree}}\n:hidden:\n\n{codes}\n```")
    return "\n\n".join(parts) + "\n"


FIRST = ("start", "concepts", "recipes", "editors", "pipelines", "compare", "glossary")
"""Pages in the order in which one reads them; then come commands, and what else there is."""


def contents(names: list[str]) -> str:
    """What stands beside each page: all pages, in groups."""
    commands = [name for name in COMMANDS if name in names]
    others = [name for name in names if name not in (*FIRST, *commands, "index", "readme")]
    others.append("README: all options <readme>")
    parts = (("", FIRST), ("Commands", commands), ("More", ["rules/index", *others]))
    return "".join(
        "\n```{{toctree}}\n:hidden:\n:caption: {}\n\n{}\n```\n".format(title, "\n".join(group))
        for title, group in parts
    ).replace(":caption: \n", "")


def lay_out(folder: Path) -> None:
    """All that sphinx reads."""
    site = Site()
    for name, path in site.pages.items():
        target = folder / f"{name}.md"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(site.text(name, path), "utf-8")
    with (folder / "index.md").open("a", encoding="utf-8") as index:
        index.write(contents([*site.pages]))
    (folder / "rules").mkdir()
    (folder / "rules/index.md").write_text(rule_index(), "utf-8")
    for rule in rules():
        page = rule_page(rule.meta.code, document(rule))
        (folder / f"rules/{rule.meta.code}.md").write_text(page, "utf-8")
    for file in site.files:
        target = folder / file.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, target)
    shutil.copy(SITE / "conf.py", folder)
    shutil.copytree(SITE / "pictures", folder / "pictures")


def build(target: Path) -> int:
    with tempfile.TemporaryDirectory() as folder:
        lay_out(Path(folder))
        # A page of a rule is rules/IPT101/, where findings lead to.
        options = ("-b", "dirhtml", "-W", "--keep-going", "-q", "-d", f"{folder}/.doctrees")
        return subprocess.run(
            [sys.executable, "-m", "sphinx", *options, folder, str(target)], check=False
        ).returncode


if __name__ == "__main__":
    try:
        sys.exit(build(Path(sys.argv[1])))
    except BrokenLinkError as error:
        sys.exit(str(error))
