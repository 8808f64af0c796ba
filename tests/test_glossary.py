"""What the map says is so: every word, room and path of it is one of the code."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from iptlint.rules.registry import names
from tests.expectations import SUFFIXES
from tests.test_every_module_is_tested import MODULES
from tests.test_layers import PACKAGE, ROOMS

ROOT = PACKAGE.parent
PAGES = ("ARCHITECTURE.md", "CONTRIBUTING.md", "GLOSSARY.md")

_TERM = re.compile(r"^- \*\*([\w.]+)\*\* \(`([\w/.]+)`\): \S.*[.…]$", re.MULTILINE)
_ROOM = re.compile(r"^\d+\. \*\*(\w+)\*\* ", re.MULTILINE)
_FENCED = re.compile(r"^ *(```+).*?^ *\1$", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`([^`\n]+)`")
_LINK = re.compile(r"\]\(([^)#]+)[^)]*\)")
_NAME = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")
_WORD = re.compile(r"[A-Za-z_]\w*")
_PATH = re.compile(r"[\w.-]+(/[\w.-]+)*(/|\.(py|md|lark))")
_EXAMPLE = re.compile(r"ipt\d\d\d", re.IGNORECASE)


def page(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


def terms() -> list[tuple[str, str]]:
    """Each of our terms and the file that it is a name of."""
    ours, _, _ = page("GLOSSARY.md").partition("## Netfilter's words")
    return [(match[1], match[2]) for match in _TERM.finditer(ours)]


@cache
def defined(path: Path) -> frozenset[str]:
    """Classes, functions, fields and constants."""
    return frozenset(_defined(ast.parse(path.read_text("utf-8"))))


def _defined(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef(name) | ast.ClassDef(name):
                yield name
            case ast.Name(name, ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()):
                yield name


def words() -> frozenset[str]:
    """All that the code and its tests have a name for."""
    files = [*PACKAGE.rglob("*.py"), *(ROOT / "tests").rglob("*.py")]
    parts = {part for file in files for part in file.relative_to(ROOT).with_suffix("").parts}
    return frozenset().union(parts, *map(defined, files))


def paths(text: str) -> list[str]:
    written = _LINK.findall(text) + [code for code in _CODE.findall(text) if _PATH.fullmatch(code)]
    return [path for path in written if "://" not in path]


@pytest.mark.parametrize(("term", "path"), terms())
def test_a_term_is_a_name_in_its_file(term: str, path: str) -> None:
    assert term in defined(PACKAGE / path)


def test_every_line_of_the_glossary_is_a_term_and_none_is_there_twice() -> None:
    ours, _, _ = page("GLOSSARY.md").partition("## Netfilter's words")
    found = [term for term, _ in terms()]
    assert len(found) == ours.count("\n- ")
    assert len(found) == len({*found})


def test_every_room_has_a_term() -> None:
    assert {Path(path).with_suffix("").parts[0] for _, path in terms()} == {*ROOMS}


@pytest.mark.parametrize("module", MODULES)
def test_what_a_module_is_about_is_a_term(module: str) -> None:
    path = PACKAGE / f"{module.removeprefix('iptlint.').replace('.', '/')}.py"
    of_module = {term for term, where in terms() if PACKAGE / where == path}
    public = {
        n.name for n in ast.parse(path.read_text("utf-8")).body if isinstance(n, ast.ClassDef)
    }
    public = {name for name in public if not name.startswith("_")}
    assert of_module
    assert not public or of_module & public


def test_the_rooms_are_shown_in_their_order() -> None:
    assert tuple(_ROOM.findall(page("ARCHITECTURE.md"))) == ROOMS


@pytest.mark.parametrize("name", PAGES)
def test_every_path_leads_somewhere(name: str) -> None:
    for path in paths(_FENCED.sub("", page(name))):
        if code := _EXAMPLE.search(path):
            assert code[0].upper() not in names(), f"{path} is an example's: give it a free code"
        else:
            assert any((root / path).exists() for root in (ROOT, PACKAGE)), path


@pytest.mark.parametrize("name", PAGES)
def test_every_name_is_one_of_the_code(name: str) -> None:
    """Or of an example on the same page."""
    examples = {word for block in _FENCED.finditer(page(name)) for word in _WORD.findall(block[0])}
    codes = _CODE.findall(_FENCED.sub("", page(name)))
    files = (".md", ".py", *SUFFIXES)
    written = [code for code in codes if _NAME.fullmatch(code) and not code.endswith(files)]
    assert [code for code in written if not {*code.split(".")} <= words() | examples] == []


@pytest.mark.parametrize("module", [name for name in MODULES if ".analysis." in name])
def test_every_question_is_on_the_map(module: str) -> None:
    assert f"`analysis/{module.rpartition('.')[2]}.py`" in page("ARCHITECTURE.md")
