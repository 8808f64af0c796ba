"""Sets and rules of one run: the command line, the API, and the two lint rules about sets."""

from __future__ import annotations

import json
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

import iptlint
from iptlint.cli import FAILED, group
from iptlint.dialects import read
from iptlint.dialects.decode import decode
from iptlint.findings import Finding
from iptlint.model import AnyOf, Opaque

SETS = "create bad hash:net\nadd bad 192.0.2.0/24\n"
RULES = """\
*filter
:INPUT DROP [0:0]
-A INPUT -m set --match-set bad src -j DROP
-A INPUT -s 192.0.2.7/32 -p tcp -m tcp --dport 22 -j ACCEPT
COMMIT
"""


@pytest.fixture
def host(tmp_path: Path) -> Path:
    (tmp_path / "rules.v4").write_text(RULES)
    (tmp_path / "ipsets").write_text(SETS)
    return tmp_path


def run(*args: object) -> tuple[int, str]:
    words = [str(arg) for arg in args]
    result = CliRunner().invoke(group, words, standalone_mode=False)
    if isinstance(result.exception, click.ClickException):
        return FAILED, result.exception.format_message()
    assert result.exception is None
    return int(result.return_value or 0), result.output


def codes(output: str) -> set[str]:
    return {finding["code"] for finding in json.loads(output)["findings"]}


def lint(rules: str, *sets: str, select: tuple[str, ...] = ()) -> list[Finding]:
    return iptlint.lint(rules, ipsets=sets, select=select)


def test_a_set_is_known_by_its_text_by_the_option_and_in_a_directory(host: Path) -> None:
    rules, ipsets = host / "rules.v4", host / "ipsets"
    for args in ((rules, ipsets), (rules, "--ipset", ipsets), (host,)):
        found = codes(run("check", *args, "--output-format", "json")[1])
        assert "IPT101" in found
        assert "IPT407" not in found
    alone = codes(run("check", rules, "--output-format", "json")[1])
    assert "IPT101" not in alone
    assert "IPT407" in alone


def test_a_file_of_sets_is_a_file_of_the_report(host: Path) -> None:
    _, output = run("check", host / "rules.v4", host / "ipsets", "--output-format", "json")
    files = {Path(file["path"]).name: file for file in json.loads(output)["files"]}
    assert (files["ipsets"]["dialect"], files["ipsets"]["rules"]) == ("ipset-save", 0)


def test_reach_takes_sets_too(host: Path) -> None:
    args = ("reach", host / "rules.v4", "--output-format", "json")
    for more, expected in (((), "reachable"), (("--ipset", host / "ipsets"), "dead")):
        _, output = run(*args, *more)
        assert json.loads(output)["rules"][1]["status"] == expected


@pytest.mark.parametrize("command", ["check", "reach"])
def test_sets_that_are_not_there_are_a_complaint(host: Path, command: str) -> None:
    status, output = run(command, host / "rules.v4", "--ipset", host / "missing")
    assert status == 2
    assert "missing: No such file or directory" in output


def test_the_api_takes_files_and_texts(host: Path) -> None:
    for sets in (SETS, host / "ipsets"):
        found = iptlint.lint(RULES, ipsets=[sets], select=["IPT1"])
        assert [finding.code for finding in found] == ["IPT101"]
        first, _ = (rule for _, _, rule in iptlint.read(RULES, ipsets=[sets]).rules())
        assert isinstance(first.matches[0], AnyOf)
    first, _ = (rule for _, _, rule in iptlint.read(RULES).rules())
    assert first.matches == (Opaque("set bad src"),)


def test_a_mistake_in_a_set_is_in_its_file() -> None:
    (finding,) = lint(RULES, SETS + "add bad 192.0.2.0/33\n", select=("IPT001",))
    assert (finding.span.line, finding.span.text) == (3, "192.0.2.0/33")


def test_a_set_that_is_not_wholly_known_proves_nothing() -> None:
    found = lint(RULES, SETS + "add bad host.example\n", select=("IPT1", "IPT003", "IPT407"))
    assert found == []


def test_sets_without_rules_are_nothing_to_lint() -> None:
    assert [f.code for f in iptlint.lint(SETS)] == ["IPT008"]


def test_of_a_file_that_is_something_else_one_word_is_said() -> None:
    for text in (RULES, "hello\nworld\n"):
        (finding,) = lint(RULES, text, select=("IPT001", "IPT003"))
        assert (finding.code, finding.span.line) == ("IPT001", 1)
        assert "this file holds no sets" in finding.message


def test_suppressed_in_the_file_of_sets() -> None:
    line = "# iptlint: ignore=IPT001 not yet\nadd bad 192.0.2.0/33\n"
    assert lint(RULES, SETS + line, select=("IPT001",)) == []


# -- IPT003 and IPT407 --------------------------------------------------------


def missing(*rules: str, sets: str = SETS) -> list[Finding]:
    text = "*filter\n" + "".join(f"-A INPUT {rule}\n" for rule in rules) + "COMMIT\n"
    return lint(text, sets, select=("IPT003", "IPT407"))


def test_a_set_that_the_saved_ones_lack_is_undefined() -> None:
    finding, other = missing(
        "-m set --match-set bda src -j DROP",
        "-m set --match-set bad src -m set ! --match-set bda dst -j DROP",
        "-j SET --add-set seen src",
        "-m set --match-set bad src --packets-gt 5 -j DROP",
    )
    assert (finding.code, finding.span.text) == ("IPT003", "--match-set bda src")
    assert "no set bda is in the saved sets" in finding.message
    assert "did you mean bad?" in finding.help
    assert [label.span.line for label in finding.related] == [3]
    assert (other.span.line, "seen" in other.message) == (4, True)


def test_a_set_of_the_other_family_is_refused() -> None:
    (finding,) = missing("-m set --match-set a src", sets="create a hash:ip family inet6\n")
    assert "the set a is of family inet6" in finding.message


def test_a_set_that_is_there_and_not_understood_is_not_undefined() -> None:
    sets = "create a hash:ip\nadd a 10.0.0.300\nadd b 10.0.0.1\n"
    found = missing("-m set --match-set a src", "-m set --match-set b src", sets=sets)
    assert [finding.code for finding in found] == ["IPT001"]


# -- which language a text is in ----------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        SETS,
        "# saved\n\n" + SETS,
        "create rules hash:ip\n",
        "create table hash:ip\nadd table 192.0.2.1\n",
        "-exist create a hash:ip\n",
        "-N a hash:ip\n",
        "add a 192.0.2.1\n",
    ],
)
def test_a_list_of_sets_is_known(text: str) -> None:
    assert read(decode("file", text.encode())).ipset is not None


@pytest.mark.parametrize(
    "text",
    [
        "add table ip filter\n",
        "create chain ip filter input\n",
        "add element ip filter bad { 192.0.2.1 }\n",
        "add rule ip filter input accept\n",
        "*filter\n# create a hash:ip\nCOMMIT\n",
    ],
)
def test_what_is_none_is_not(text: str) -> None:
    assert read(decode("file", text.encode())).ipset is None
