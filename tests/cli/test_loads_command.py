"""``iptlint loads``: what it prints, and its exit status."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner, Result

from iptlint.cli import group

REFUSED = """\
table inet t {
 set s {
  type ipv4_addr
  elements = { 10.0.0.0/8 }
 }
 chain c {
  type filter hook input priority 0
  masquerade
 }
}
"""


def run(*arguments: str) -> Result:
    return CliRunner().invoke(group, ["loads", *arguments], standalone_mode=False)


def written(folder: Path, name: str, text: str) -> str:
    path = folder / name
    path.write_text(text)
    return str(path)


def test_a_file_that_is_taken(tmp_path: Path) -> None:
    result = run(written(tmp_path, "x.nft", "add table inet t\n"))
    assert result.return_value == 0
    assert result.stdout.endswith("x.nft: nft -f takes it\n")


def test_a_file_that_is_refused(tmp_path: Path) -> None:
    result = run(written(tmp_path, "x.nft", REFUSED))
    assert result.return_value == 1
    first, *_ = result.stdout.splitlines()
    assert "x.nft:4:16: nft -f refuses it: the set s holds single values" in first
    assert "it says: You must add 'flags interval' to your set declaration" in result.stdout
    assert "hidden until that is mended: line 8: masquerade is refused" in result.stdout
    assert "the host keeps the rules that it has" in result.stdout


def test_json(tmp_path: Path) -> None:
    result = run(written(tmp_path, "x.nft", REFUSED), "--output-format", "json")
    answer = json.loads(result.stdout)
    (file,) = answer["files"]
    assert (answer["version"], file["loads"], file["tool"]) == (1, False, "nft -f")
    stages = [(each["stage"], each["line"], each["hidden"]) for each in file["refusals"]]
    assert stages == [("evaluation", 4, False), ("kernel", 8, True)]


def test_what_is_there_before(tmp_path: Path) -> None:
    file = written(tmp_path, "x.nft", "add rule inet t c accept\n")
    before = written(tmp_path, "before.nft", "table inet t {\n chain c {\n }\n}\n")
    assert run(file).return_value == 1
    assert run(file, "--from", before).return_value == 0


def test_versions(tmp_path: Path) -> None:
    file = written(tmp_path, "x.nft", "destroy table inet t\n")
    assert run(file).return_value == 0
    result = run(file, "--target", "debian-12")
    assert result.return_value == 1
    assert "destroy needs nft 1.0.7: debian-12 has 1.0.6" in result.stdout


def test_a_script_is_loaded_by_no_tool(tmp_path: Path) -> None:
    result = run(written(tmp_path, "x.sh", "#!/bin/sh\niptables -F\n"))
    assert result.return_value == 2
    assert "a script is run and not loaded" in result.stderr
