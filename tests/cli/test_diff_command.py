from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.cli.conftest import CLEAN, Run

OPENED = CLEAN.replace("--dport 22", "--dport 80")
KEYS = "hook family from to differs certain packets witness old new"


@pytest.fixture
def files(tmp_path: Path) -> Path:
    (tmp_path / "old.v4").write_text(CLEAN)
    (tmp_path / "new.v4").write_text(OPENED)
    (tmp_path / "new.nft").write_text(
        "table inet filter {\n"
        "\tchain input {\n"
        "\t\ttype filter hook input priority 0; policy drop;\n"
        '\t\tiifname "lo" accept\n'
        "\t\tct state established,related accept\n"
        "\t\tip saddr 192.0.2.0/24 tcp dport 22 accept\n"
        "\t}\n"
        "\tchain forward {\n"
        "\t\ttype filter hook forward priority 0; policy drop;\n"
        "\t}\n"
        "}\n"
    )
    return tmp_path


def test_equivalent(run: Run, files: Path) -> None:
    result = run("diff", str(files / "old.v4"), str(files / "old.v4"))
    assert result.returncode == 0
    assert result.stdout == "equivalent: every packet fares the same (compared: ip)\n"


def test_a_migration_is_proved(run: Run, files: Path) -> None:
    """An iptables file says nothing of IPv6, so only IPv4 is compared."""
    result = run("diff", str(files / "old.v4"), str(files / "new.nft"))
    assert (result.returncode, result.stderr) == (0, "")
    assert "(compared: ip)" in result.stdout


def test_what_changes_is_described(run: Run, files: Path) -> None:
    result = run("diff", str(files / "old.v4"), str(files / "new.v4"))
    assert result.returncode == 1
    assert "input, ip: drop → accept" in result.stdout
    assert "from 192.0.2.0/24" in result.stdout
    assert "port 80" in result.stdout
    assert result.stdout.endswith("different: some packets fare otherwise (compared: ip)\n")


def test_json_is_the_contract(run: Run, files: Path) -> None:
    asked = ("diff", str(files / "old.v4"), str(files / "new.v4"), "--output-format", "json")
    answer = json.loads(run(*asked).stdout)
    assert (answer["version"], answer["equivalent"], answer["certain"]) == (1, False, True)
    assert {frozenset(change) for change in answer["changes"]} == {frozenset(KEYS.split())}
    opened = next(change for change in answer["changes"] if change["to"] == "accept")
    assert (opened["hook"], opened["family"], opened["from"]) == ("input", "ip", "drop")
    assert opened["witness"]["dport"] == 80
    assert opened["old"]["kind"] == "policy"
    assert (opened["new"]["line"], opened["new"]["kind"]) == (7, "rule")


def test_only_a_hook(run: Run, files: Path) -> None:
    asked = ("diff", str(files / "old.v4"), str(files / "new.v4"), "--hook", "forward")
    assert run(*asked).returncode == 0


def test_chains_left_out(run: Run, files: Path) -> None:
    rule = "-A INPUT -j f2b-sshd\nCOMMIT"
    chain = ":f2b-sshd - [0:0]\n-A f2b-sshd -s 203.0.113.7 -j REJECT\n"
    text = CLEAN.replace("COMMIT", rule).replace("-A INPUT -i lo", f"{chain}-A INPUT -i lo")
    (files / "banned.v4").write_text(text)
    asked = ("diff", str(files / "old.v4"), str(files / "banned.v4"))
    assert run(*asked).returncode == 1
    assert run(*asked, "--ignore-chains", "f2b-*").returncode == 0


def test_against_a_revision(run: Run, files: Path) -> None:
    file = files / "old.v4"
    who = ("-c", "user.name=a", "-c", "user.email=a@example.org")
    for command in (("init", "-q"), ("add", "."), (*who, "commit", "-qm", "first")):
        subprocess.run(["git", "-C", str(files), *command], check=True)
    assert run("diff", "--git", "HEAD", str(file)).returncode == 0
    file.write_text(OPENED)
    result = run("diff", "--git", "HEAD", str(file))
    assert result.returncode == 1
    assert f"old: the policy of INPUT (HEAD:{file}:2)" in result.stdout
    result = run("diff", "--git", "nothing", str(file))
    assert (result.returncode, result.stdout) == (2, "")
    assert "nothing" in result.stderr


def test_files_of_two_families_cannot_be_compared(run: Run, files: Path) -> None:
    (files / "other.v6").write_text(CLEAN.replace("192.0.2.0/24", "2001:db8::/32"))
    result = run("diff", str(files / "old.v4"), str(files / "other.v6"))
    assert result.returncode == 2
    assert "ip6" in result.stderr


def test_a_file_without_rules_is_not_taken_for_one_of_another_family(run: Run, files: Path) -> None:
    (files / "empty").write_text("")
    result = run("diff", str(files / "old.v4"), str(files / "empty"))
    assert result.returncode == 2
    assert "empty holds no rules, so there is nothing to compare" in result.stderr


def test_one_file_is_not_enough(run: Run, files: Path) -> None:
    result = run("diff", str(files / "old.v4"))
    assert result.returncode == 2
    assert "--git REV" in result.stderr


def test_the_largest_differences_are_shown_and_the_others_counted(run: Run, tmp_path: Path) -> None:
    """Three hooks of two families."""
    chains = (
        f"\tchain {hook} {{\n\t\ttype filter hook {hook} priority 0; policy {{policy}};\n\t}}\n"
        for hook in ("input", "forward", "output")
    )
    text = "table inet filter {{\n" + "".join(chains).replace("{\n", "{{\n").replace("}\n", "}}\n")
    for policy in ("accept", "drop"):
        (tmp_path / policy).write_text(text.format(policy=policy) + "}\n")
    shown = run("diff", "accept", "drop").stdout
    assert shown.count("accept → drop") == 5
    assert "… and 1 smaller difference: --all shows all" in shown
    everything = run("diff", "--all", "accept", "drop").stdout
    assert everything.count("accept → drop") == 6
    assert "smaller" not in everything


def test_markdown_tells_first_what_is_newly_allowed(run: Run, files: Path) -> None:
    asked = ("diff", str(files / "old.v4"), str(files / "new.v4"), "--output-format", "markdown")
    result = run(*asked)
    assert result.returncode == 1
    mark, head, *_ = result.stdout.split("\n\n")
    assert mark == "<!-- iptlint diff -->"
    assert head == "### iptlint diff: different: some packets fare otherwise (compared: ip)"
    allowed = result.stdout.index("#### Newly allowed\n\n- **input, ip: drop → accept**<br>")
    closed = result.stdout.index("#### No longer allowed\n\n- **input, ip: accept → drop**<br>")
    assert allowed < closed
    assert "another way" not in result.stdout


def test_markdown_of_what_is_equivalent_is_one_line(run: Run, files: Path) -> None:
    same = ("diff", str(files / "old.v4"), str(files / "old.v4"), "--output-format", "markdown")
    assert run(*same).stdout == (
        "<!-- iptlint diff -->\n\n"
        "### iptlint diff: equivalent: every packet fares the same (compared: ip)\n"
    )
