"""What a fixture says of itself, and what the linter says of it.

``# expect: IPT101`` (or several, with commas) on the line above a statement: this finding
is on that statement. ``# expect-file: IPT008``: on whatever line. ``# options: --ssh-ports
2222``: how to call the linter. JSON has no comments: there ``"# expect": "IPT954"``, a key that
nobody reads, is on the line itself. Several statements' worth of comments may follow each other.
"""

from __future__ import annotations

import json
import re
import shlex
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

import jsonschema
from click.testing import CliRunner

from iptlint.cli import group

ROOT = Path(__file__).parent.parent
FIXTURES = ROOT / "fixtures"
SUFFIXES = {".v4", ".v6", ".nft", ".sh", ".json", ".yaml"}

Place = tuple[str, int, str]
"""Path, line (0: any) and code."""

_EXPECT = re.compile(r"\s*# expect(?P<file>-file)?: (?P<codes>IPT\d+(?:, *IPT\d+)*)\s*")
_EXPECT_HERE = re.compile(r'"# expect": "(?P<codes>IPT\d+(?:, *IPT\d+)*)"')
_OPTIONS = re.compile(r"^\s*# options: (.*)$", re.MULTILINE)


def files_of(case: Path) -> list[Path]:
    """A case is a file, or a folder whose files belong together."""
    if case.is_file():
        return [case]
    return sorted(file for file in case.iterdir() if file.suffix in SUFFIXES)


def lint(case: Path, *options: str) -> list[Place]:
    """What the command line says of a case, with the options that the case asks for."""
    files = files_of(case)
    asked = [
        word
        for f in files
        for found in _OPTIONS.findall(f.read_text("utf-8", "replace"))
        for word in shlex.split(found)
    ]
    args = ["check", *map(str, files), "--output-format", "json", *asked, *options]
    result = CliRunner().invoke(group, args, catch_exceptions=False, standalone_mode=False)
    report = json.loads(result.stdout)
    assert broken(report) == []
    return [
        (place["path"], place["line"], finding["code"])
        for finding in report["findings"]
        for place in (finding, *filter(_is_alike, finding["related"]))
    ]


def _is_alike(related: dict[str, object]) -> bool:
    """Whether it is the place of a finding that another one stands for."""
    return str(related["message"]).startswith("likewise")


@cache
def _contract(of: str) -> jsonschema.Draft202012Validator:
    """What the JSON of a command is, as it is published."""
    schema = json.loads((ROOT / "docs" / "json-schema.json").read_text("utf-8"))
    return jsonschema.Draft202012Validator({**schema, "$ref": f"#/$defs/{of}"})


def broken(report: object, of: str = "report") -> list[str]:
    """Where a report, of ``check`` or what it is ``of``, is not as the contract has it."""
    return [f"{error.json_path}: {error.message}" for error in _contract(of).iter_errors(report)]


def expected(case: Path) -> list[Place]:
    return [place for file in files_of(case) for place in _expected_in(file)]


def _expected_in(file: Path) -> Iterator[Place]:
    waiting: list[str] = []
    for number, line in enumerate(file.read_text("utf-8", "replace").split("\n"), 1):
        for here in _EXPECT_HERE.finditer(line):
            yield from ((str(file), number, code.strip()) for code in here["codes"].split(","))
        match = _EXPECT.fullmatch(line)
        if match is None:
            if waiting and line.strip() and not line.lstrip().startswith("#"):
                yield from ((str(file), number, code) for code in waiting)
                waiting = []
            continue
        codes = [code.strip() for code in match["codes"].split(",")]
        if match["file"]:
            yield from ((str(file), 0, code) for code in codes)
        else:
            waiting += codes
    assert not waiting, f"{file}: no statement follows the last `# expect`"


def difference(found: Sequence[Place], wanted: Sequence[Place]) -> tuple[list[Place], list[Place]]:
    """What was expected and is missing, and what was found and not expected."""
    left, missing = Counter(found), []
    for place in sorted(wanted, key=lambda place: place[1] == 0):
        fits = next((p for p in left.elements() if _fits(p, place)), None)
        if fits is None:
            missing.append(place)
        else:
            left[fits] -= 1
    return missing, sorted(left.elements())


def _fits(found: Place, wanted: Place) -> bool:
    return found == wanted or (wanted[1] == 0 and (found[0], 0, found[2]) == wanted)
