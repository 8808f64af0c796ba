"""The other files of ``integrations/``, and the release: as far as they can be run here."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from iptlint import __version__
from iptlint.cli import group
from tests.cli.conftest import BROKEN, CLEAN, SHADOWED

ROOT = Path(__file__).parent.parent
INTEGRATIONS = ROOT / "integrations"


def document(*path: str) -> Any:
    return yaml.safe_load(ROOT.joinpath(*path).read_text("utf-8"))


def run(*args: str) -> tuple[int, str]:
    result = CliRunner().invoke(group, args, standalone_mode=False, catch_exceptions=False)
    return result.return_value, result.stdout


# -- MegaLinter -------------------------------------------------------------------------------


@pytest.mark.parametrize("text", [SHADOWED, BROKEN])
def test_megalinter(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Called as the descriptor says, it counts what there is and leaves a SARIF behind."""
    monkeypatch.chdir(tmp_path)
    Path("rules.v4").write_text(text)
    Path(".iptlint.toml").write_text('profile = "default"\n')
    (linter,) = document("integrations", "megalinter.yml")["linters"]
    sarif = [arg.replace("{{SARIF_OUTPUT_FILE}}", "out.sarif") for arg in linter["cli_sarif_args"]]
    config = (linter["cli_config_arg_name"], linter["config_file_name"])
    status, shown = run(*linter["cli_lint_extra_args"], *sarif, *config, "rules.v4")
    assert (status, Path("out.sarif").is_file()) == (1, True)
    counted = [
        len(re.findall(linter[f"cli_lint_{kind}_regex"], shown)) for kind in ("errors", "warnings")
    ]
    assert sum(counted) == len(re.findall(r"(?m)^rules\.v4:\d+:\d+: (?:error|warning) ", shown)) > 0


def test_megalinter_finds_the_files_and_the_version() -> None:
    (linter,) = document("integrations", "megalinter.yml")["linters"]
    names = [re.compile(pattern) for pattern in linter["file_names_regex"]]
    for name in ("rules.v4", "ip6tables", "iptables-save", "nftables.conf", "iptables.rules"):
        assert any(pattern.fullmatch(name) for pattern in names), name
    _, shown = run(linter["cli_version_arg_name"])
    found = re.search(linter["version_extract_regex"], shown or f"iptlint {__version__}")
    assert found is not None
    assert found[0] == __version__


# -- Ansible ----------------------------------------------------------------------------------


def test_what_a_template_is_validated_with(tmp_path: Path) -> None:
    tasks = document("integrations", "ansible", "firewall.yml")
    (validate,) = (
        task["ansible.builtin.template"]["validate"]
        for task in tasks
        if "ansible.builtin.template" in task
    )
    path = tmp_path / "tmpxyz"  # as Ansible calls it: no name tells what is in it
    for text, expected in ((CLEAN, 0), (BROKEN, 1)):
        path.write_text(text)
        words = re.sub(r"\{\{.*?\}\}", "ip", validate).replace("%s", str(path))
        assert run(*shlex.split(words)[1:], "--ignore", "IPT7")[0] == expected


def test_changed_is_what_some_packet_notices(tmp_path: Path) -> None:
    """The commands of both files end with 0 where only the text is another, and with 1 else."""
    for name in ("firewall.yml", "check.yml"):
        text = (INTEGRATIONS / "ansible" / name).read_text("utf-8")
        assert "changed_when: iptlint_meaning.rc == 1" in text
        assert "- diff\n" in text
    (tmp_path / "old").write_text(CLEAN)
    (tmp_path / "same").write_text(f"# by hand\n{CLEAN}")
    (tmp_path / "other").write_text(CLEAN.replace("--dport 22", "--dport 23"))
    old, same, other = (str(tmp_path / name) for name in ("old", "same", "other"))
    assert run("diff", old, same)[0] == 0
    assert run("diff", old, other)[0] == 1


@pytest.mark.skipif(shutil.which("ansible-playbook") is None, reason="needs ansible-playbook")
def test_ansible_takes_the_files(tmp_path: Path) -> None:
    for name in ("firewall.yml", "check.yml"):
        tasks = INTEGRATIONS / "ansible" / name
        play = [
            {
                "hosts": "localhost",
                "gather_facts": False,
                "tasks": [{"ansible.builtin.import_tasks": str(tasks)}],
            }
        ]
        (tmp_path / name).write_text(yaml.safe_dump(play))
        done = subprocess.run(
            ["ansible-playbook", "--syntax-check", str(tmp_path / name)],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr


# -- services and packages --------------------------------------------------------------------

DROP_IN = INTEGRATIONS / "systemd" / "nftables.service.d-iptlint.conf"
UNIT = """[Unit]
Description=nftables
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/true
ExecReload=/bin/true
"""


def commands(path: Path) -> list[list[str]]:
    lines = path.read_text("utf-8").splitlines()
    found = (re.fullmatch(r"Exec\w+=-?(\S*iptlint .*)", line) for line in lines)
    return [shlex.split(match[1]) for match in found if match]


def test_what_the_service_runs(tmp_path: Path) -> None:
    (tmp_path / "nftables.conf").write_text("table inet t { chain c { acept\n}\n}\n")
    (tmp_path / "good.conf").write_text("table inet t {\n chain c {\n }\n}\n")
    called = commands(DROP_IN)
    assert len(called) == 2
    for words in called:
        *options, path = words[1:]
        assert path == "/etc/nftables.conf"
        assert run(*options, str(tmp_path / "nftables.conf"))[0] == 1
        assert run(*options, str(tmp_path / "good.conf"))[0] == 0


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd-analyze")
def test_systemd_takes_the_drop_in(tmp_path: Path) -> None:
    (tmp_path / "nftables.service").write_text(UNIT)
    folder = tmp_path / "nftables.service.d"
    folder.mkdir()
    drop_in = re.sub(r"/usr/s?bin/(iptlint|nft)", "/bin/true", DROP_IN.read_text("utf-8"))
    (folder / "iptlint.conf").write_text(drop_in)
    done = subprocess.run(
        ["systemd-analyze", "verify", str(tmp_path / "nftables.service")],
        env={"SYSTEMD_UNIT_PATH": f"{tmp_path}:", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_the_command_of_nixos_is_one_of_iptlint(tmp_path: Path) -> None:
    """There is no nix here: its command is run, and its brackets are counted."""
    text = (INTEGRATIONS / "nixos" / "module.nix").read_text("utf-8")
    (call,) = re.findall(r"iptlint (check .*?)\n\s+cp ", text, re.DOTALL)
    words = call.replace("\\\n", " ").replace("${cfg.failOn}", "error")
    words = words.replace("${lib.escapeShellArgs cfg.extraArgs}", "").replace("${rules}", "RULES")
    path = tmp_path / "nftables.nft"
    path.write_text("table inet t {\n chain c {\n }\n}\n")
    args = [str(path) if word == "RULES" else word for word in shlex.split(words)]
    assert run(*args)[0] == 0
    bare = re.sub(r"#[^\n]*", "", text)
    assert all(bare.count(a) == bare.count(b) for a, b in ("{}", "[]", "()"))
    assert bare.count("''") % 2 == 0


def test_debian_packages_this_version() -> None:
    changelog = (INTEGRATIONS / "debian" / "changelog").read_text("utf-8")
    assert changelog.startswith(f"iptlint ({__version__}-1) ")
    control = (INTEGRATIONS / "debian" / "control").read_text("utf-8")
    fields = [dict(re.findall(r"(?m)^([\w-]+): (.*)$", part)) for part in control.split("\n\n")]
    assert fields[0]["Source"] == fields[1]["Package"] == "iptlint"
    assert "hatchling" in fields[0]["Build-Depends"]


@pytest.mark.skipif(shutil.which("dpkg-parsechangelog") is None, reason="needs dpkg-dev")
def test_dpkg_reads_the_changelog() -> None:
    command = ["dpkg-parsechangelog", "-l", str(INTEGRATIONS / "debian" / "changelog")]
    done = subprocess.run([*command, "-S", "Version"], capture_output=True, text=True, check=True)
    assert (done.stdout.strip(), done.stderr) == (f"{__version__}-1", "")


# -- the release ------------------------------------------------------------------------------


def test_the_release_is_built_once_and_attested() -> None:
    workflow = document(".github", "workflows", "release.yml")
    jobs = workflow["jobs"]
    assert workflow["permissions"] == {}
    assert jobs["publish"]["permissions"] == {"id-token": "write"}
    assert [name for name in jobs if "id-token" in jobs[name]["permissions"]] == ["publish"]
    (publish,) = (s for s in jobs["publish"]["steps"] if "pypi-publish" in s["uses"])
    assert publish["with"] == {"attestations": True}
    assert any(".ci/sbom.py > dist-sbom.json" in script for script in scripts_of(workflow))


def scripts_of(workflow: dict[str, Any]) -> list[str]:
    steps = [step for job in workflow["jobs"].values() for step in job["steps"]]
    return [step["run"] for step in steps if "run" in step]


@pytest.mark.parametrize("name", ["release.yml", "test.yml"])
def test_a_workflow_runs_what_it_names_and_no_more(name: str) -> None:
    workflow = document(".github", "workflows", name)
    assert workflow["permissions"] == {}
    steps = [step for job in workflow["jobs"].values() for step in job["steps"]]
    used = [step["uses"] for step in steps if "uses" in step]
    assert all(re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", each) for each in used)
    assert not any("${{" in script for script in scripts_of(workflow))


def test_every_change_is_tested_and_fuzzed_for_five_minutes() -> None:
    workflow = document(".github", "workflows", "test.yml")
    jobs = workflow["jobs"]
    on = workflow[True]  # YAML 1.1 takes the word for a truth
    assert {"push", "pull_request"} <= on.keys()
    assert jobs["everything"]["strategy"]["matrix"]["python"] == ["3.11", "3.12", "3.13", "3.14"]
    everything, fuzz = scripts_of(workflow)
    assert ".ci/run" in everything
    assert '-m tests.fuzz.targets --seconds 300 --seed "$(date +%Y%j)"' in fuzz


def test_the_list_of_what_is_in_a_release() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / ".ci" / "sbom.py")], capture_output=True, text=True, check=True
    )
    listed = json.loads(done.stdout)
    assert (listed["bomFormat"], listed["specVersion"]) == ("CycloneDX", "1.5")
    names = {each["name"] for each in listed["components"]}
    dependencies = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    needed = {re.split(r"[^\w-]", each)[0] for each in dependencies["dependencies"]}
    assert needed <= names
    assert all(each["purl"].startswith("pkg:pypi/") for each in listed["components"])


def test_a_tag_that_is_not_the_version_makes_no_release(tmp_path: Path) -> None:
    workflow = document(".github", "workflows", "release.yml")
    (ask,) = (s["run"] for s in workflow["jobs"]["build"]["steps"] if "tag" in s.get("name", ""))
    for tag, status in ((f"v{__version__}", 0), ("v99.0.0", 1)):
        environment = {"GITHUB_REF_NAME": tag, "PATH": f"{tmp_path}:/usr/bin:/bin"}
        (tmp_path / "python").write_text(f"#!/bin/sh\necho {__version__}\n")
        (tmp_path / "python").chmod(0o755)
        assert subprocess.run(["sh", "-c", ask], env=environment, check=False).returncode == status
