"""No input makes iptlint open a file that nobody named, and no secret comes out.

Every ``open`` of the process is watched. A script may reach what is below its directory, nft what
it includes, a root file system what is below the root, an archive nothing.
"""

from __future__ import annotations

import json
import random
import re
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterable, Sequence
from glob import glob
from pathlib import Path
from typing import Any

import pytest

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures"
SHARED = Path(__file__).resolve().parents[3] / "shared"
CORPUS = SHARED / "corpus"
SECRET = "s3cr3t-wOrds"
Sample = Callable[[str, int], list[Path]]
QUICK = ("check", "--select", "IPT001,IPT002,IPT006", "--output-format", "json")
"""Reading is what opens files; a rule has none to open."""


def watched(commands: Iterable[Sequence[str]], folder: Path) -> list[dict[str, Any]]:
    lines = "".join(json.dumps(command) + "\n" for command in commands)
    run = subprocess.run(
        [sys.executable, "-m", "tests.security.watched"],
        input=lines,
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        env={"PYTHONPATH": str(Path(__file__).resolve().parents[2]), "PATH": "/usr/bin:/bin"},
    )
    assert run.returncode == 0, run.stderr
    return [json.loads(line) for line in run.stdout.splitlines()]


@pytest.fixture
def secrets(tmp_path: Path) -> Path:
    """A directory beside that of the inputs, with files that hold a secret."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "words").write_text(f"{SECRET}:x:0\n{SECRET}\n")
    (outside / "rules.v4").write_text(f"*filter\n-A INPUT -i {SECRET[:8]} -j DROP\nCOMMIT\n")
    (outside / "vars").write_text(f"PASSWORD={SECRET}\n")
    (outside / "broken.nft").write_text(f"table ip t {{\n{SECRET}\n}}\n")
    (tmp_path / "inside").mkdir()
    return outside


_PATH = re.compile(r"(?<=[\s<\"'=(])(?:/|\./|\.\./)[\w./-]+")


def mutant(text: str, names: Sequence[str], chance: random.Random) -> str:
    """The text with some of the paths in it turned into those of secrets."""
    text = _PATH.sub(lambda m: chance.choice(names) if chance.random() < 0.5 else m[0], text)
    name = chance.choice(names)
    more = (
        f'. {name}\niptables -A INPUT -m comment --comment "$PASSWORD" -j DROP',
        f"for x in $(cat {name}); do iptables -A INPUT -s $x -j DROP; done",
        f"iptables-restore < {name}",
        f"while read x; do iptables -A INPUT -i $x -j DROP; done < {name}",
        f"nft -f {name}",
        f"sh {name}",
        f"ipset restore -file {name}",
        f"cat {name} | iptables-restore -n",
        f'nft -f - <<EOF\ninclude "{name}"\nEOF',
    )
    return f"{text}\n{chance.choice(more)}\n"


def names_of(secrets: Path, inside: Path) -> list[str]:
    for file in secrets.iterdir():
        (inside / f"link-{file.name}").symlink_to(file)
    (inside / "up").symlink_to(secrets, target_is_directory=True)
    (inside / ".hidden").write_text(f"PASSWORD={SECRET}\n")
    (inside / "notes").write_text(f"{SECRET} is what I said\n")
    outer = [str(file) for file in secrets.iterdir()]
    outer += [f"../outside/{file.name}" for file in secrets.iterdir()]
    outer += [f"./link-{file.name}" for file in secrets.iterdir()]
    outer += [f"{inside}/up/{file.name}" for file in secrets.iterdir()]
    return [*outer, "./.hidden", "./notes", "/etc/shadow", "/proc/self/environ"]


def test_a_script_reaches_only_what_is_below_its_directory(
    tmp_path: Path, secrets: Path, sample: Sample
) -> None:
    chance = random.Random(20)
    inside = tmp_path / "inside"
    names = names_of(secrets, inside)
    sources = [(SHARED / "cases" / "hostile" / "reads-etc-shadow.sh"), *sample("shell", 15)]
    texts = [
        path.read_bytes().decode("utf-8", "surrogateescape") for path in sources if path.exists()
    ]
    texts += ["#!/bin/sh\n"] * 60
    commands = []
    for number, text in enumerate(texts):
        script = inside / f"s{number}.sh"
        written = mutant(text, names, chance)
        script.write_bytes(written.encode("utf-8", "surrogateescape"))
        commands.append([*QUICK, str(script)])
    for command, answer in zip(commands, watched(commands, tmp_path), strict=True):
        for path in answer["opened"]:
            assert Path(path).resolve().is_relative_to(inside), (command, path)
        assert SECRET not in answer["printed"].replace(f"PASSWORD={SECRET}", ""), command


def test_a_script_of_standard_input_reaches_nothing(tmp_path: Path) -> None:
    (tmp_path / "vars").write_text("PORT=2222\n")
    found = subprocess.run(
        [sys.executable, "-m", "iptlint", "reach", "-"],
        input="#!/bin/sh\n. ./vars\niptables -A INPUT -p tcp --dport $PORT -j DROP\n",
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
        env={"PYTHONPATH": str(FIXTURES.parent), "PATH": "/usr/bin:/bin"},
    )
    assert "1 reachable" in found.stdout
    assert "2222" not in found.stdout


_INCLUDE = re.compile(r"include\s+[\"']?([^\"'\s;]+)")


def test_nft_reaches_only_what_it_includes(tmp_path: Path, secrets: Path, sample: Sample) -> None:
    inside = tmp_path / "inside"
    names = names_of(secrets, inside)
    chance = random.Random(21)
    commands = []
    for number, path in enumerate([*sample("nft-script", 10), *[None] * 30]):
        text = "" if path is None else path.read_bytes().decode("utf-8", "surrogateescape")
        file = inside / f"n{number}.nft"
        included = "".join(f'include "{name}"\n' for name in chance.sample(names, 3))
        file.write_bytes(
            f"{included}{text}\ntable ip t {{\n}}\n".encode("utf-8", "surrogateescape")
        )
        commands.append([*QUICK, str(file)])
    for command, answer in zip(commands, watched(commands, tmp_path), strict=True):
        own = Path(command[-1])
        allowed = {own, *_included(own, tmp_path)}
        for opened in answer["opened"]:
            assert Path(opened).resolve() in {path.resolve() for path in allowed}, command
        for word in re.findall(SECRET + r"[^\"\\]*", answer["printed"]):
            raise AssertionError((command, word))


def _included(file: Path, cwd: Path) -> set[Path]:
    text = file.read_text("utf-8", "surrogateescape")
    found = set()
    for name in _INCLUDE.findall(text):
        for folder in (file.parent, cwd, Path("/etc")):
            found |= {Path(path) for path in glob(str(folder / name))}  # noqa: PTH207
    return found


def test_without_includes_only_what_is_named_is_opened(tmp_path: Path) -> None:
    (tmp_path / "x.nft").write_text("add table ip t\n")
    (tmp_path / "vars").write_text("PORT=22\n")
    (tmp_path / "main.nft").write_text('include "x.nft"\n')
    (tmp_path / "main.sh").write_text("#!/bin/sh\n. ./vars\niptables -P INPUT DROP\n")
    for name in ("main.nft", "main.sh"):
        commands = [[*QUICK, name], [*QUICK, "--no-include", name]]
        both, alone = watched(commands, tmp_path)
        assert len(both["opened"]) == 2
        assert alone["opened"] == [str(tmp_path / name)]
        assert "IPT002" in alone["printed"]


def test_an_archive_leads_nowhere(tmp_path: Path) -> None:
    archive = FIXTURES / "hostile" / "archive-include.tar.gz"
    (answer,) = watched([["check", str(archive)]], tmp_path)
    assert set(answer["opened"]) == {str(archive)}
    assert "There is no file /etc/passwd in what was gathered of the host" in answer["printed"]


def test_a_root_is_not_left(tmp_path: Path) -> None:
    with tarfile.open(FIXTURES / "hostile" / "root-escape.tgz") as archive:
        archive.extractall(tmp_path, filter="fully_trusted")
    root = tmp_path / "root1"
    (answer,) = watched([["live", "--root", str(root)]], tmp_path)
    assert [path for path in answer["opened"] if not Path(path).is_relative_to(root)] == []
    printed = " ".join(answer["printed"].split())
    assert f"There is no file /etc/nft.d/link.nft below {root}" in printed
    assert "likewise lines 3, 4 and 5" in printed
    assert "root:" not in answer["printed"]


def test_a_file_inside_a_root_is_included(tmp_path: Path) -> None:
    (tmp_path / "etc" / "nft.d").mkdir(parents=True)
    (tmp_path / "etc" / "nftables.conf").write_text(
        '#!/usr/sbin/nft -f\ninclude "/etc/link/*.nft"\ninclude "../../../etc/nft.d/b"\n'
    )
    (tmp_path / "etc" / "link").symlink_to("/etc/nft.d")
    (tmp_path / "etc" / "nft.d" / "a.nft").write_text("add table ip one\n")
    (tmp_path / "etc" / "nft.d" / "b").write_text("add table ip two\n")
    (answer,) = watched([["live", "--root", str(tmp_path)]], tmp_path)
    assert "IPT001" not in answer["printed"]
    names = {Path(path).name for path in answer["opened"]}
    assert {"nftables.conf", "a.nft", "b"} <= names


def test_a_link_in_a_directory_is_named_and_not_followed(tmp_path: Path, secrets: Path) -> None:
    inside = tmp_path / "inside"
    (inside / "rules.v4").symlink_to(secrets / "words")
    (inside / "rules.v6").write_text("*filter\nCOMMIT\n")
    (answer,) = watched([[*QUICK, str(inside)]], tmp_path)
    assert answer["opened"] == [str(inside / "rules.v6")]
    assert "rules.v4: a link to a file outside of" in answer["printed"]
    assert SECRET not in answer["printed"]


def test_files_that_others_wrote_lead_nowhere(tmp_path: Path, sample: Sample) -> None:
    """Of the corpus every format, and the inputs that were made to do harm."""
    paths = [
        path for folder in ("iptables", "ip6tables", "nft-dump") for path in sample(folder, 40)
    ]
    hostile = SHARED / "cases" / "hostile"
    paths += [p for p in sorted(hostile.glob("ipt009-*")) if hostile.is_dir()]
    if not paths:
        pytest.skip("the corpus is not beside the project")
    copies = []
    for number, path in enumerate(paths):
        copy = tmp_path / f"{number}{path.suffix}"
        shutil.copyfile(path, copy)
        copies.append(copy)
    answers = watched([[*QUICK, str(copy)] for copy in copies], tmp_path)
    for copy, answer in zip(copies, answers, strict=True):
        assert answer["opened"] == [str(copy)]


@pytest.fixture
def sample(request: pytest.FixtureRequest) -> Sample:
    """Files of a folder of the corpus: each of them in a long run, otherwise every so many."""
    whole = request.config.getoption("--long")
    return lambda folder, step: _files(folder)[:: 1 if whole else step]


def _files(folder: str) -> list[Path]:
    if not (CORPUS / folder).is_dir():
        return []
    return sorted(path for path in (CORPUS / folder).rglob("*") if path.is_file())
