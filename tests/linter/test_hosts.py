"""Another host's files are no evidence."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from iptlint.analysis.session import Settings
from iptlint.cli import group
from iptlint.linter.hosts import by_host, joined
from iptlint.linter.run import lint
from iptlint.source import SourceFile
from tests.cli.conftest import CLEAN
from tests.expectations import broken

SIX = "*filter\n:INPUT ACCEPT [0:0]\n:FORWARD DROP [0:0]\nCOMMIT\n"


def grouped(*paths: str, **texts: str) -> list[list[str]]:
    sources = [SourceFile(path, "") for path in paths]
    sources += [SourceFile(path.replace("_", "/"), text) for path, text in texts.items()]
    return [[source.path for source in host] for host in by_host(sources)]


def test_a_directory_is_a_host() -> None:
    assert grouped("a/rules.v4", "b/rules.v4", "a/rules.v6", "b/ipsets") == [
        ["a/rules.v4", "a/rules.v6"],
        ["b/rules.v4", "b/ipsets"],
    ]


def test_what_is_below_one_etc_is_of_one_host() -> None:
    assert grouped("w/etc/iptables/rules.v4", "w/etc/nftables.conf", "x/etc/ipset.conf") == [
        ["w/etc/iptables/rules.v4", "w/etc/nftables.conf"],
        ["x/etc/ipset.conf"],
    ]
    assert len(grouped("/etc/iptables/rules.v4", "/etc/sysconfig/ip6tables")) == 1


def test_what_a_file_includes_is_of_its_host() -> None:
    main = 'include "/etc/nftables.d/web.nft"\n'
    assert len(grouped("other/rules.v4", copy_main=main, copy_nftables="")) == 2
    sources = [
        SourceFile("copy/main.nft", main),
        SourceFile("copy/nftables.d/web.nft", ""),
        SourceFile("other/nftables.d/db.nft", ""),
    ]
    assert [len(host) for host in by_host(sources)] == [2, 1]


def test_standard_input_is_of_the_only_host_there_is() -> None:
    assert grouped("-", "a/rules.v6") == [["-", "a/rules.v6"]]
    assert len(grouped("-", "a/rules.v6", "b/rules.v6")) == 3
    assert grouped() == [[]]


def test_ipv6_of_another_host_is_no_evidence() -> None:
    """A host without a word of IPv6 is as it is by itself."""
    v4, v6 = SourceFile("a/rules.v4", CLEAN), SourceFile("b/rules.v6", SIX)
    alone = lint([v4], Settings()).findings + lint([v6], Settings()).findings
    several = joined(lint(host, Settings()) for host in by_host([v4, v6]))
    assert [f.code for f in several.findings] == [f.code for f in alone]
    assert len(several.files) == 2


def test_findings_of_all_hosts_are_in_order() -> None:
    hosts = [[SourceFile(path, "# nothing\n")] for path in ("b/x", "a/x", "c/x")]
    report = joined(lint(host, Settings()) for host in hosts)
    assert [f.span.source.path for f in report.findings] == ["a/x", "b/x", "c/x"]


def test_the_command_line_takes_hosts_apart_unless_told(tmp_path: Path) -> None:
    for folder, name, text in (("a", "rules.v4", CLEAN), ("b", "rules.v6", SIX)):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / name).write_text(text)
    asked = [str(tmp_path), "--output-format", "concise", "--exit-zero"]
    apart = CliRunner().invoke(group, asked, standalone_mode=False).stdout
    together = CliRunner().invoke(group, [*asked, "--one-host"], standalone_mode=False).stdout
    assert "IPT601" in apart
    assert "IPT701" in together


def test_items_of_benchmarks_name_their_host(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("one", "two"):
        Path(name).mkdir()
        Path(name, "rules.v4").write_text("*filter\n:INPUT ACCEPT [0:0]\nCOMMIT\n")
    asked = ["check", "one", "two", "--profile", "cis", "--no-cache", "--output-format"]

    def shown(*args: str) -> str:
        return CliRunner().invoke(group, [*asked, *args], standalone_mode=False).stdout

    report = json.loads(shown("json"))
    assert broken(report) == []
    assert {item["host"] for item in report["benchmark"]["items"]} == {"one", "two"}
    assert [line[:5] for line in shown("text").splitlines() if "CIS Debian" in line[:20]] == [
        "one: ",
        "two: ",
    ]
    alone = CliRunner().invoke(group, ["check", "one", *asked[3:], "json"], standalone_mode=False)
    assert "host" not in json.loads(alone.stdout)["benchmark"]["items"][0]
