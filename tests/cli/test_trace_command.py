from __future__ import annotations

import json
from pathlib import Path

import pytest

from iptlint.analysis.trace import trace
from iptlint.dialects import Reader, read
from iptlint.packets.packet import Packet
from iptlint.reports.trace import FamilyTrace, trace_text
from iptlint.source import SourceFile
from tests.cli.conftest import BROKEN, CLEAN, Run

SSH = ("--iif", "eth0", "--proto", "tcp", "--dport", "22", "--ct-state", "new")
KEYS = (
    "verdict way expired unrouted decided_by dropped_anyway conditions packets witness becomes "
    "steps"
)


def test_every_outcome_with_its_packets_and_steps(run: Run) -> None:
    result = run("trace", "-", *SSH, text=CLEAN)
    assert (result.returncode, result.stderr) == (0, "")
    assert "drop, by the policy of INPUT (-:2)" in result.stdout
    assert "accept, by -:7: -A INPUT -s 192.0.2.0/24" in result.stdout
    assert "\n  to this host\n" in result.stdout
    assert "from 192.0.2.0/24" in result.stdout
    assert max(map(len, result.stdout.splitlines())) <= 160


def test_json_is_the_contract(run: Run) -> None:
    asked = ("trace", "-", *SSH, "--saddr", "192.0.2.9", "--output-format", "json")
    answer = json.loads(run(*asked, text=CLEAN).stdout)
    assert answer["version"] == 1
    (outcome,) = answer["outcomes"]
    assert set(outcome) == set(KEYS.split())
    assert outcome["verdict"] == "accept"
    place = {"path": "-", "line": 7, "table": "filter", "chain": "INPUT", "kind": "rule"}
    assert outcome["decided_by"] == place
    assert outcome["witness"]["saddr"] == "192.0.2.9"
    assert outcome["conditions"] == []
    (step,) = outcome["steps"]
    assert (step["line"], step["chain"], step["effect"]) == (7, "INPUT", "accept")


@pytest.mark.parametrize(
    ("source", "works"), [("192.0.2.9", True), ("203.0.113.9", False), ("192.0.0.0/16", None)]
)
def test_the_answer_is_followed_too(run: Run, source: str, works: bool | None) -> None:
    asked = ("trace", "-", *SSH, "--saddr", source, "--reply", "--output-format", "json")
    assert json.loads(run(*asked, text=CLEAN).stdout)["reply"]["works"] is works


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("--saddr", "300.1.2.3", "'300.1.2.3' is no address and no network"),
        ("--proto", "tpc", "'tpc' is no protocol"),
        ("--tcp-flags", "sin", "'sin' is no tcp flag"),
        ("--ct-state", "old", "'old' is no state"),
        ("--mark", "red", "'red' is no mark"),
        ("--icmp-type", "echo-requst", "'echo-requst' is no type of icmp; echo-request is"),
        ("--iif", "", "no interface can have the name ''"),
        ("--iif", "eth*", "'eth*' names many interfaces; name one"),
        ("--oif", "ppp+", "'ppp+' names many interfaces; name one"),
        ("--oif", "a name too long to be one", "no interface can have the name"),
    ],
)
def test_a_value_that_is_none(run: Run, option: str, value: str, said: str) -> None:
    result = run("trace", "-", option, value, text=CLEAN)
    assert (result.returncode, result.stdout) == (2, "")
    assert said in result.stderr


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("--proto icmp --dport 22", "--proto icmp and --dport exclude each other: it has no ports"),
        ("--proto udp --tcp-flags syn", "it is not tcp"),
        ("--proto 17 --icmp-type 8", "it is not icmp"),
        ("--hook input --oif eth0", "what comes to this host leaves by no interface"),
        ("--hook output --iif eth0", "what this host sends came in by none"),
    ],
)
def test_a_question_that_contradicts_itself(run: Run, asked: str, said: str) -> None:
    result = run("trace", "-", *asked.split(), text=CLEAN)
    assert (result.returncode, result.stdout) == (2, "")
    assert said in result.stderr


def test_what_could_not_be_read_is_said(run: Run) -> None:
    result = run("trace", "-", text=BROKEN)
    assert result.returncode == 2
    assert result.stderr.startswith("iptlint: -:2: ")


def test_sets_and_included_files_are_looked_into(run: Run, tmp_path: Path) -> None:
    sets, inside = tmp_path / "ipsets", tmp_path / "inside"
    sets.write_text("create good hash:ip family inet\nadd good 192.0.2.9\n")
    rule = "-A INPUT -m set --match-set good src -j ACCEPT"
    rules = f"*filter\n:INPUT DROP [0:0]\n{rule}\nCOMMIT\n"
    asked = ("trace", "-", "--saddr", "192.0.2.9", "--ipset", str(sets))
    assert run(*asked, text=rules).stdout.startswith("accept, by -:3")
    inside.mkdir()
    (inside / "ports.nft").write_text("define ports = { 22, 80 }\n")
    head = 'include "ports.nft"\ntable ip f {\n chain i {\n  '
    nft = (
        head + "type filter hook input priority 0; policy drop;\n  tcp dport $ports accept\n }\n}\n"
    )
    asked = ("trace", "-", "--proto", "tcp", "--dport", "80", "--include-dir", str(inside))
    assert "accept, by -:5: tcp dport $ports accept" in run(*asked, text=nft).stdout
    assert run(*asked[:-2], text=nft).returncode == 2


def test_a_wide_question_has_the_most_important_outcomes_first(run: Run) -> None:
    ports = "".join(f"-A INPUT -p tcp --dport {port} -j ACCEPT\n" for port in range(1, 21))
    rules = f"*filter\n:INPUT DROP [0:0]\n{ports}-A INPUT -p sctp --dport 9 -j REJECT\nCOMMIT\n"
    told = run("trace", "-", "--ct-state", "new", text=rules).stdout
    heads = [line for line in told.splitlines() if line.startswith(("accept,", "drop,", "reject,"))]
    assert len(heads) == 8
    assert {head.partition(",")[0] for head in heads} == {"accept", "drop", "reject"}
    assert "… and 14 smaller outcomes: --all shows all" in told
    everything = run("trace", "-", "--ct-state", "new", "--all", text=rules).stdout
    assert everything.count("for example") == 22
    answer = json.loads(
        run("trace", "-", "--ct-state", "new", "--output-format", "json", text=rules).stdout
    )
    assert len(answer["outcomes"]) == 22


def test_either_a_file_or_this_host(run: Run) -> None:
    for asked in (("trace",), ("trace", "--live", "-")):
        result = run(*asked, text=CLEAN)
        assert (result.returncode, result.stdout) == (2, "")
        assert "name a FILE, or this host with --live" in result.stderr


@pytest.mark.parametrize(
    ("proto", "name", "shown"),
    [
        ("icmp", "echo-request", "icmp type 8"),
        ("icmp", "8", "icmp type 8"),
        ("icmp", "port-unreachable", "icmp type 3, code 3"),
        ("icmpv6", "nd-neighbor-solicit", "icmp type 135"),
        ("icmpv6", "neighbor-solicitation", "icmp type 135"),
    ],
)
def test_an_icmp_type_has_the_names_that_the_tools_print(
    run: Run, proto: str, name: str, shown: str
) -> None:
    open_to_all = "table inet t {\n chain c {\n  type filter hook input priority 0;\n }\n}\n"
    asked = ("--iif", "eth0", "--proto", proto, "--icmp-type", name)
    result = run("trace", "-", *asked, text=open_to_all)
    assert (result.returncode, result.stderr) == (0, "")
    assert shown in result.stdout


def told_in(text: str, columns: int) -> str:
    ruleset = read(SourceFile("rules.v4", text), Reader()).ruleset
    return trace_text([FamilyTrace(trace(ruleset, Packet(family="ip")))], columns=columns)


def test_on_a_terminal_of_80_columns_no_line_is_longer() -> None:
    """A terminal breaks lines wherever they happen to be, and the table falls apart."""
    limit = '-m limit --limit 5/min -m comment --comment "five a minute, and no more than that"'
    rules = f"-A INPUT -p tcp --dport 22 -j tries\n-A tries -s 192.0.2.0/24 {limit} -j ACCEPT\n"
    text = f"*filter\n:INPUT DROP [0:0]\n:tries - [0:0]\n{rules}COMMIT\n"
    wide, narrow = told_in(text, 160), told_in(text, 80)
    assert max(map(len, narrow.splitlines())) <= 80 < max(map(len, wide.splitlines()))
    assert narrow.split() == wide.split()


def test_the_ends_that_are_not_shown_go_on_below() -> None:
    note = '-m comment --comment "a note that takes a whole line of a terminal for itself"'
    rules = "".join(f"-A INPUT -p tcp --dport {port} {note} -j ACCEPT\n" for port in range(1, 12))
    text = f"*filter\n:INPUT DROP [0:0]\n{rules}COMMIT\n"
    shown = told_in(text, 80)
    assert "smaller outcomes: --all shows all" in shown
    assert max(map(len, shown.splitlines())) <= 80


def test_where_rules_have_little_room_they_stand_below_and_whole() -> None:
    """Beside the long names of docker's chains, 80 columns leave a rule a third of a line."""
    name = "DOCKER-ISOLATION-STAGE-1"
    calls = f"-A INPUT -j {name}\n-A {name} -p tcp -m tcp --dport 443 -j ACCEPT\n"
    text = f"*filter\n:INPUT DROP [0:0]\n:{name} - [0:0]\n{calls}COMMIT\n"
    place = f"    input  ip filter {name}  line 5\n"
    rule = f"        -A {name} -p tcp -m tcp --dport 443 -j ACCEPT → accept\n"
    assert place + rule in told_in(text, 80)
    assert f"line 5  -A {name} -p tcp -m tcp --dport 443" in told_in(text, 160)


LONE = "*filter\n:INPUT DROP [0:0]\n-A INPUT -p tcp --dport 22 -j ACCEPT\nCOMMIT\n"


@pytest.mark.parametrize("command", ["trace", "graph"])
def test_rules_of_one_family_are_not_asked_as_if_they_were_of_the_other(
    run: Run, tmp_path: Path, command: str
) -> None:
    """iptables-restore loads rules.v4, which no packet of IPv6 ever meets."""
    rules = tmp_path / "rules.v4"
    rules.write_text(LONE)
    result = run(command, str(rules), "--family", "ip6", "--proto", "tcp", "--dport", "22")
    assert (result.returncode, result.stdout) == (2, "")
    said = "rules.v4 has rules for IPv4; none for IPv6 were given: name what `ip6tables-save`"
    assert said in " ".join(result.stderr.split())


def test_a_family_is_taken_as_stated_where_the_file_does_not_tell(run: Run) -> None:
    asked = ("trace", "-", "--family", "ip6", "--proto", "tcp", "--dport", "22")
    assert run(*asked, text=LONE).stdout.startswith("accept, by -:3")


@pytest.mark.parametrize("rules", [LONE, "table ip f { chain c { drop; }; }\n"])
def test_that_no_rules_are_for_a_family_is_said(run: Run, rules: str) -> None:
    said = "no rules for IPv6 were given: nothing here stops such packets"
    asked = ("trace", "-", "--saddr", "2001:db8::1")
    assert run(*asked, text=rules).stdout == f"{said}\n"
    answer = json.loads(run(*asked, "--output-format", "json", text=rules).stdout)
    assert (answer["outcomes"], answer["notes"]) == ([], [said])


@pytest.mark.parametrize("command", ["trace", "reach", "graph"])
@pytest.mark.parametrize(
    "text", ["pass in all\nblock out on em0\n", "\x1f\x8b\x08", "*filter -A\n"]
)
def test_of_a_text_that_is_no_rules_nothing_is_claimed(command: str, text: str, run: Run) -> None:
    """That there are no rules, and all is accepted, is said of an empty file only."""
    result = run(command, "-", text=text)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith("Error: -:1: ")


def test_of_whose_address_many_ports_are_translated_to_nobody_says(
    run: Run, tmp_path: Path
) -> None:
    guests = [(f"172.17.{n >> 8}.{n & 255}", 8000 + n) for n in range(2, 1602)]
    published = [
        f"-A DOCKER -p tcp --dport {port} -j DNAT --to-destination {guest}:80"
        for guest, port in guests
    ]
    nat = ("*nat", ":PREROUTING ACCEPT", ":DOCKER -", "-A PREROUTING -j DOCKER", *published)
    filters = ("*filter", ":INPUT DROP", "-A INPUT -p tcp --dport 22 -j ACCEPT", "COMMIT\n")
    (tmp_path / "rules.v4").write_text("\n".join((*nat, "COMMIT", *filters)))
    result = run("trace", "--iif", "eth0", "--proto", "tcp", "--dport", "22", "rules.v4")
    assert (result.returncode, result.stderr) == (0, "")
    assert "--dport 22 -j ACCEPT → accept" in result.stdout
