"""What is told of files that others may include, and of what they ask for and make only below."""

from __future__ import annotations

from pathlib import Path

import pytest

from iptlint.findings import Confidence, Finding
from iptlint.linter.run import lint
from iptlint.source import SourceFile

TABLE = "table inet host {\n\tchain input {\n\t\tip saddr 192.0.2.1 drop\n\t}\n}\n"


def refused(*sources: SourceFile) -> list[Finding]:
    return list(lint(list(sources), select=("IPT006",)).findings)


@pytest.mark.parametrize(
    "asks", ["delete table inet host", "flush table inet host", "add chain inet host other"]
)
def test_a_table_that_the_file_makes_only_below_may_not_be_there(asks: str) -> None:
    (told,) = refused(SourceFile("nftables.conf", f"{asks}\n{TABLE}"))
    assert told.confidence is Confidence.POSSIBLE
    assert "makes it only below" in told.message
    assert told.help == "advice: declare it before this line: `add table inet host`"


@pytest.mark.parametrize(
    "text",
    [
        f"table inet host\ndelete table inet host\n{TABLE}",
        f"destroy table inet host\n{TABLE}",
        "delete table inet host\n",
        f"delete table inet other\n{TABLE}",
        f'include "/etc/nftables.d/tables"\ndelete table inet host\n{TABLE}',
    ],
)
def test_a_table_that_is_there_or_of_something_else_is_not_told_of(text: str) -> None:
    assert not refused(SourceFile("nftables.conf", text))


def test_whoever_includes_a_file_may_have_made_its_tables(tmp_path: Path) -> None:
    part = tmp_path / "host.nft"
    text = f"flush table inet host\n{TABLE}"
    part.write_text(text)
    whole = f'table inet host\ninclude "{part}"\n'
    paths = [SourceFile(str(tmp_path / "nftables.conf"), whole), SourceFile(str(part), text)]
    assert not refused(*paths)


# -- variables -----------------------------------------------------------------------------------

PART = "table ip nat {\n\tchain post {\n\t\toifname $wan masquerade\n\t}\n}\n"


@pytest.mark.parametrize(
    ("include", "part"),
    [
        ("./part.nft", "part.nft"),
        ("./nftables.d/*.nft", "nftables.d/part.nft"),
        ("/etc/nftables/part.nft", "part.nft"),
        ("/etc/nftables.d/*.nft", "nftables.d/part.nft"),
    ],
)
def test_whoever_includes_a_file_may_have_made_its_variables(
    include: str, part: str, tmp_path: Path
) -> None:
    path = tmp_path / part
    path.parent.mkdir(exist_ok=True)
    path.write_text(PART)
    whole = SourceFile(str(tmp_path / "main.nft"), f'define wan = "eth0"\ninclude "{include}"\n')
    codes = ("IPT001", "IPT006")
    assert lint([SourceFile(str(path), PART)], select=codes).findings
    assert not lint([whole, SourceFile(str(path), PART)], select=codes).findings


def test_variables_that_are_not_there_are_one_fault() -> None:
    text = PART.replace("masquerade", "\n\t\tip saddr $lan masquerade")
    (told,) = lint([SourceFile("part.nft", text)], select=("IPT001",)).findings
    assert told.message == "there is no variable $wan; likewise line 4"


@pytest.mark.parametrize("command", [". /usr/local/sbin/fw/settings.sh", "source ./settings.sh"])
def test_a_script_that_another_one_sources_needs_no_command(command: str) -> None:
    settings = SourceFile("settings.sh", "#!/bin/sh\nPORTS='22 80'\n")
    script = SourceFile("fw.sh", f"#!/bin/sh\n{command}\niptables -P INPUT DROP\n")
    assert not lint([settings, script], select=("IPT008",)).findings
    assert lint([settings], select=("IPT008",)).findings
    other = SourceFile("fw.sh", "#!/bin/sh\n. ./my-settings.sh\niptables -P INPUT DROP\n")
    assert lint([settings, other], select=("IPT008",)).findings


def test_prefixes_that_are_too_long_are_one_cause() -> None:
    rules = "".join(f"-A {c} -j LOG --log-prefix '{'x' * 30}{c}'\n" for c in ("INPUT", "OUTPUT"))
    text = f"*filter\n{rules}COMMIT\n".replace("'", '"')
    (told,) = lint([SourceFile("rules.v4", text)], select=("IPT006",)).findings
    assert told.message.endswith("; likewise line 3")
