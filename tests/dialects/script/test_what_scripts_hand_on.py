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


@pytest.mark.parametrize(
    "asks",
    [
        '[ -z "$IP" ] && exit 1',
        'if [ "$#" -ne 1 ]; then echo usage; exit 2; fi',
        "[[ -n $IP ]] || { echo usage; exit 1; }",
    ],
)
def test_a_script_that_does_nothing_without_an_argument_is_given_one(asks: str) -> None:
    text = f"#!/bin/bash\nIP=$1\n{asks}\niptables -I FORWARD -s $IP -j DROP\n"
    assert _codes(text) == ["IPT002"]


def test_a_script_that_makes_rules_without_an_argument_is_given_none() -> None:
    text = '#!/bin/sh\n[ -n "$1" ] && iptables -A INPUT -s "$1" -j DROP\niptables -P INPUT DROP\n'
    assert not _codes(text)


_ASK = """ask() {
  while true; do
    read -rp "$1? " answer
    case "$answer" in
      y) return 0 ;;
      n) return 1 ;;
      *) echo "y or n" ;;
    esac
  done
}
"""


@pytest.mark.parametrize(
    "asked", ["ask web && {}", "if ask web; then {}; fi", "ask web || exit; {}"]
)
def test_a_question_that_is_asked_again_and_again_has_an_answer(asked: str) -> None:
    """bash: what only a ``return`` ends goes on until that, and the script behind it."""
    web = "iptables -A INPUT -p tcp --dport 80 -j ACCEPT"
    text = f"#!/bin/bash\n{_ASK}{asked.format(web)}\niptables -P INPUT DROP\n"
    tables = read(SourceFile("fw.sh", text)).ruleset.tables
    chains = [chain for table in tables for chain in table.chains.values()]
    assert [c.name for c in chains if c.policy and c.policy.kind.denies] == ["INPUT"]
    assert len([rule for table in tables for rule in table.rules()]) == 1


def test_what_nothing_ends_goes_on_for_ever() -> None:
    text = "#!/bin/bash\nwatch() { while true; do sleep 1; done; }\nwatch\niptables -F\n"
    assert _codes(text) == ["IPT008"]


@pytest.mark.parametrize(
    ("command", "meant"),
    [
        ("iptable -A INPUT -i lo -j ACCEPT", "iptables"),
        ("sudo iptabels -P INPUT DROP", "iptables"),
        ("ip6table -F", "ip6tables"),
        ("ft -f /etc/fw.nft", "nft"),
    ],
)
def test_a_misspelt_tool_does_nothing(command: str, meant: str) -> None:
    """bash: `iptable: command not found`."""
    text = f"#!/bin/sh\n{command} \niptables -A INPUT -i lo -j ACCEPT\n"
    (told,) = read(SourceFile("fw.sh", text)).diagnostics
    assert (told.code, told.help) == ("IPT001", f"did you mean {meant}?")
    assert not _codes(f"#!/bin/sh\nsource ./lib.sh\n{command}\niptables -F\n")[1:]


@pytest.mark.parametrize("tool", ["ebtables", "arptables", "ip4tables", "conntrack", "./iptable"])
def test_other_tools_are_spelt_well(tool: str) -> None:
    text = f"#!/bin/sh\n{tool} -A INPUT -j DROP\niptables -A INPUT -i lo -j ACCEPT\n"
    assert "IPT001" not in _codes(text)


def test_a_word_alone_is_a_function_of_the_file_that_is_sourced() -> None:
    (told,) = read(
        SourceFile("fw.sh", "#!/bin/sh\n. ./lib/firewall.sh\nfirewall_apply eth0\n")
    ).diagnostics
    assert told.message.startswith(
        "iptlint did not read `firewall.sh`, whose functions this script takes"
    )
