"""What a script is called with, and hands on to its functions and to other scripts: whoever calls
it gives what its commands need."""

from __future__ import annotations

from pathlib import Path

import pytest

from iptlint.dialects.readers import read
from iptlint.source import SourceFile

_RULE = 'iptables -A INPUT -i "$1" -p tcp --dport 22 -j ACCEPT'


def _codes(text: str, path: Path | None = None) -> list[str]:
    name = "fw.sh" if path is None else str(path)
    return [each.code for each in read(SourceFile(name, text)).diagnostics]


@pytest.mark.parametrize(
    "text",
    [
        f'open() {{ {_RULE}; }}\nopen "$@"\n',
        f'open() {{ {_RULE}; }}\nopen "$1"\n',
        f'open() {{ {_RULE}; }}\nmain() {{ open "$1"; }}\nmain "$@"\n',
        'add() { chain=$1; shift; iptables -A "$chain" "$@"; }\nadd INPUT -i "$1" -j ACCEPT\n',
        'WAN="$1"\nadd() { iptables -A INPUT "$@"; }\nadd -i "$WAN" -j ACCEPT\n',
        'open() { local wan="$1"; iptables -A INPUT -i "$wan" -j ACCEPT; }\nopen "$@"\n',
    ],
)
def test_a_function_is_handed_what_the_script_is_given(text: str) -> None:
    assert "IPT006" not in _codes(text)


def test_a_function_that_is_called_without_a_word_has_none() -> None:
    """sh: `f() { iptables -A INPUT -i "$1" -j ACCEPT; }; f` is refused, whatever the script is
    called with."""
    assert _codes(f"open() {{ {_RULE}; }}\nopen\n") == ["IPT006"]


def test_two_functions_are_handed_two_things() -> None:
    text = f'open() {{ {_RULE}; }}\nopen "$1"\nopen "$2"\n'
    tables = read(SourceFile("fw.sh", text)).ruleset.tables
    (one, other) = (rule for table in tables for _, rule in table.rules())
    assert one.matches != other.matches


@pytest.mark.parametrize("call", ['./other.sh "$1"', "./other.sh $1", 'sh other.sh "$@"'])
def test_another_script_is_handed_what_the_script_is_given(call: str, tmp_path: Path) -> None:
    (tmp_path / "other.sh").write_text(f"#!/bin/sh\n{_RULE}\n")
    assert "IPT006" not in _codes(f"#!/bin/sh\n{call}\n", tmp_path / "fw.sh")


def test_a_tree_that_lies_as_on_its_host_has_its_files_there(tmp_path: Path) -> None:
    folder = tmp_path / "jffs" / "scripts"
    (folder / "wan").mkdir(parents=True)
    (folder / "wan" / "open.sh").write_text("#!/bin/sh\niptables -A INPUT -i lo -j ACCEPT\n")
    call = "#!/bin/sh\n/jffs/scripts/wan/open.sh\n"
    for script, told in ((folder / "firewall-start", []), (tmp_path / "fw.sh", ["IPT008"])):
        script.write_text(call)
        assert _codes(call, script) == told


@pytest.mark.parametrize("path", ["jffs/scripts/firewall-start", "etc/firewall.user"])
def test_the_firmware_of_a_router_has_made_its_chains_before(path: str) -> None:
    text = "#!/bin/sh\niptables -A SDN_FF -i br-lan -j ACCEPT\n"
    assert not _codes(text, Path(path))
    assert _codes(text, Path("etc/fw.sh")) == ["IPT006"]


@pytest.mark.parametrize("word", ["-v", "-V", "--version", "version", "-h", "-H", "--help", "help"])
def test_ipset_says_what_it_is(word: str) -> None:
    """ipset v7.17: each prints, and succeeds."""
    text = f"if ! ipset {word} | grep -q v7; then exit 1; fi\niptables -A INPUT -i lo -j ACCEPT\n"
    assert not _codes(text)
