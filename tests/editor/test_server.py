"""The language server as an editor meets it: over a pipe, file by file."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

import iptlint
from tests.editor.client import ROOT, Client, ResponseError, codes
from tests.processes import PATIENCE

SHADOWED = """\
*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
:WEB - [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -s 203.0.113.0/24 -p tcp -m tcp --dport 22 -j ACCEPT
-A INPUT -s 203.0.113.7/32 -p tcp -m tcp --dport 22 -j DROP
-A INPUT -p tcp -m tcp --dport 443 -j WEB
-A WEB -m limit --limit 5/sec -j ACCEPT
-A WEB -j DROP
COMMIT
"""
NFT = """\
#!/usr/sbin/nft -f
flush ruleset
define lan = 10.0.0.0/8
include "more.nft"
table inet fw {
    set banned { type ipv4_addr; elements = { 192.0.2.1 } }
    chain ssh {
        ip saddr $lan accept
    }
    chain input {
        type filter hook input priority filter; policy drop;
        ct state established,related accept
        iif lo accept
        ip saddr @banned drop
        tcp dport 22 jump ssh
    }
}
"""
INCLUDED = "table inet more {\n    chain c {\n        accept\n    }\n}\n"
SCRIPT = "#!/bin/sh\niptables -N WEB\niptables -A INPUT -p tcp --dport 80 -j WEB\n"


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    folder = tmp_path_factory.mktemp("editor").resolve()
    (folder / "more.nft").write_text(INCLUDED)
    with Client(folder) as each:
        yield each
        assert each.process.poll() is None, each.stderr


def line_of(text: str, part: str) -> int:
    return next(number for number, line in enumerate(text.split("\n")) if part in line)


def place_of(text: str, line: str, part: str) -> tuple[int, int]:
    number = line_of(text, line)
    return number, text.split("\n")[number].index(part)


def applied(text: str, edits: list[dict[str, Any]]) -> str:
    """As an editor does: from the last to the first."""
    lines = text.split("\n")

    def offset(position: dict[str, int]) -> int:
        before = sum(len(line) + 1 for line in lines[: position["line"]])
        units = lines[position["line"]].encode("utf-16-le")[: 2 * position["character"]]
        return before + len(units.decode("utf-16-le"))

    places = [(offset(e["range"]["start"]), offset(e["range"]["end"]), e["newText"]) for e in edits]
    for start, end, new in sorted(places, reverse=True):
        text = text[:start] + new + text[end:]
    return text


def in_full(client: Client, name: str, text: str) -> list[dict[str, Any]]:
    """All that a fresh check finds in the text, and until the editor is told the same."""
    path = client.folder / name
    path.write_text(text)
    wanted = sorted((f.code, f.span.line - 1, f.message.split("\n")[0]) for f in iptlint.lint(path))

    def same(told: list[dict[str, Any]]) -> bool:
        seen = ((d["code"], d["range"]["start"]["line"], d["message"]) for d in told)
        return sorted((c, line, m.split("\n")[0]) for c, line, m in seen) == wanted

    found: list[dict[str, Any]] = client.wait(name, same)
    return found


# -- what is wrong ------------------------------------------------------------------------------


def test_findings_come_as_one_types(client: Client) -> None:
    client.open("rules.v4", SHADOWED)
    told = client.wait("rules.v4", lambda told: "IPT101" in codes(told))
    dead = next(each for each in told if each["code"] == "IPT101")
    assert dead["range"]["start"] == {"line": line_of(SHADOWED, "203.0.113.7"), "character": 0}
    assert "203.0.113.7" in dead["message"]
    assert dead["codeDescription"]["href"].endswith("/rules/IPT101/")
    assert dead["relatedInformation"][0]["location"]["range"]["start"]["line"] == 7
    client.change("rules.v4", SHADOWED.replace("-s 203.0.113.7/32", "-s 192.0.2.7/32"), 2)
    client.wait("rules.v4", lambda told: "IPT101" not in codes(told))
    client.change("rules.v4", SHADOWED.replace("--dport 443", "--dprot 443"), 3)
    client.wait("rules.v4", lambda told: {"IPT001", "IPT101"} <= {*codes(told)})
    client.close("rules.v4")
    client.wait("rules.v4", lambda told: told == [])


def test_any_way_there_the_answers_are_those_of_a_fresh_look(client: Client) -> None:
    draw = random.Random(20)
    lines, version = SHADOWED.split("\n"), 1
    client.open("walk.rules", SHADOWED)
    for _ in range(12):
        for _ in range(draw.randrange(1, 4)):
            number = draw.randrange(5, len(lines) - 2)
            match draw.randrange(4):
                case 0:
                    lines.insert(number, f"-A INPUT -s 10.{draw.randrange(4)}.0.0/16 -j ACCEPT")
                case 1 if len(lines) > 8:
                    del lines[number]
                case 2:
                    lines[number] = lines[number].replace("ACCEPT", "DROP")
                case _:
                    lines[number] = lines[number] + draw.choice((" ", " -j", "", "\n# a remark"))
            version += 1
            client.change("walk.rules", "\n".join(lines), version)
            lines = "\n".join(lines).split("\n")
        in_full(client, "walk.rules", "\n".join(lines))
    client.close("walk.rules")


def test_columns_count_units_of_utf_16(client: Client) -> None:
    text = SHADOWED.replace(
        "-A INPUT -s 203.0.113.7/32",
        '-A INPUT -m comment --comment "\U0001f525 ü" -s 203.0.113.7/32',
    ).replace("--dport 22 -j DROP", "--dprot 22 -j DROP")
    client.open("utf16.rules", text)
    told = client.wait("utf16.rules", lambda told: "IPT001" in codes(told))
    wrong = next(each for each in told if each["code"] == "IPT001")["range"]
    line = text.split("\n")[wrong["start"]["line"]].encode("utf-16-le")
    part = line[2 * wrong["start"]["character"] : 2 * wrong["end"]["character"]]
    assert part.decode("utf-16-le") == "--dprot"
    client.close("utf16.rules")


def test_lines_end_where_an_editor_ends_them(client: Client) -> None:
    """A carriage return alone is an end of line to an editor, and none to us."""
    text = "# one\rtwo\x0bthree\u2028four\n" + SHADOWED.replace("--dport 443", "--dprot 443")
    client.open("ends.rules", text)
    told = client.wait("ends.rules", lambda told: "IPT001" in codes(told))
    wrong = next(each for each in told if each["code"] == "IPT001")["range"]["start"]
    assert wrong["line"] == 2 + line_of(SHADOWED, "--dport 443")
    client.close("ends.rules")


def test_what_is_open_counts_and_not_what_is_saved(client: Client) -> None:
    (client.folder / "etc.nft").write_text(NFT)
    client.open("etc.nft", NFT.replace('include "more.nft"', f'include "{client.folder}/more.nft"'))
    client.wait("etc.nft", lambda told: "IPT001" not in codes(told))
    client.open("more.nft", INCLUDED.replace("accept", "tcp dprot 22 accept"))
    client.tell("textDocument/didSave", textDocument={"uri": client.uri("more.nft")})
    told = client.wait("etc.nft", lambda told: "IPT001" in codes(told))
    assert any("more.nft" in each["message"] for each in told)
    for name in ("etc.nft", "more.nft"):
        client.close(name)


def test_the_other_family_beside_it_is_of_the_same_host(client: Client) -> None:
    closed = SHADOWED.replace(" -s 203.0.113.0/24", "").replace("-A INPUT -s 203.0.113.7/32", "#")
    folder = client.folder / "pair"
    folder.mkdir()
    (folder / "rules.v6").write_text("*filter\n:INPUT ACCEPT [0:0]\nCOMMIT\n")
    client.open("pair/rules.v4", closed)
    client.open("pair/rules.v6", "*filter\n:INPUT ACCEPT [0:0]\nCOMMIT\n")
    client.wait("pair/rules.v6", lambda told: "IPT701" in codes(told))
    for name in ("pair/rules.v4", "pair/rules.v6"):
        client.close(name)


def test_a_configuration_is_obeyed_and_told_where_it_is_wrong(client: Client) -> None:
    folder = client.folder / "set"
    folder.mkdir()
    (folder / ".iptlint.toml").write_text('ignore = ["IPT101"]\n')
    client.open("set/a.rules", SHADOWED.replace("443 -j WEB", "443 -j NOWHERE"))
    client.wait("set/a.rules", lambda t: "IPT003" in codes(t) and "IPT101" not in codes(t))
    (folder / ".iptlint.toml").write_text('ignoer = ["IPT101"]\n')
    client.tell("workspace/didChangeWatchedFiles", changes=[])
    told = client.wait("set/a.rules", lambda told: any("ignore" in e["message"] for e in told))
    assert ".iptlint.toml:1" in told[0]["message"]
    (folder / ".iptlint.toml").unlink()
    client.tell("workspace/didChangeWatchedFiles", changes=[])
    client.wait("set/a.rules", lambda told: "IPT101" in codes(told))
    client.close("set/a.rules")


def test_policy_tests_are_proved_of_the_rules_beside_them(client: Client) -> None:
    folder = client.folder / "policy"
    folder.mkdir()
    (folder / "rules.v4").write_text(SHADOWED)
    tests = 'families = ["ip"]\ntests = [\n    "deny from internet to 443",\n]\n'
    client.open("policy/iptlint.tests.toml", tests)
    (failed,) = client.wait("policy/iptlint.tests.toml", lambda told: "IPT609" in codes(told))
    assert failed["range"]["start"]["line"] == 2
    client.open("policy/rules.v4", SHADOWED.replace("-A WEB -m limit --limit 5/sec -j ACCEPT", "#"))
    client.change("policy/iptlint.tests.toml", tests + "\n", 2)
    client.wait("policy/iptlint.tests.toml", lambda told: told == [])
    client.change("policy/iptlint.tests.toml", tests.replace("deny", "denny"), 3)
    (wrong,) = client.wait("policy/iptlint.tests.toml", lambda told: len(told) == 1)
    assert wrong["range"]["start"] == {"line": 2, "character": 5}
    assert client.at("hover", "policy/iptlint.tests.toml", 2, 4) is None
    for name in ("policy/iptlint.tests.toml", "policy/rules.v4"):
        client.close(name)


def test_a_script_without_a_firewall_is_left_alone(client: Client) -> None:
    client.open("hello.sh", "#!/bin/sh\necho hello\n", "shellscript")
    client.wait("hello.sh", lambda told: told == [])
    client.close("hello.sh")


# -- what a line is -----------------------------------------------------------------------------


def test_hover_says_what_reaches_a_line(client: Client) -> None:
    client.open("hover.rules", SHADOWED)
    line = line_of(SHADOWED, "203.0.113.0/24")
    said = client.at("hover", "hover.rules", line, 4)["contents"]["value"]
    assert "2 rules above" in said
    assert "tcp from 203.0.113.0/24 to port 22" in said
    assert "all of them come through" in said
    dead = client.at("hover", "hover.rules", line + 1, 4)["contents"]["value"]
    assert "No packet gets here" in dead
    assert f"line {line + 1}" in dead
    assert "# IPT101 shadowed-rule" in dead
    jump = client.at("hover", "hover.rules", line_of(SHADOWED, "-j WEB"), 4)["contents"]["value"]
    assert "these new connections come to it and match: `tcp to port 443`" in jump
    assert client.at("hover", "hover.rules", 0, 0) is None
    client.close("hover.rules")


def test_hover_quotes_what_a_file_holds(client: Client) -> None:
    """Nothing of it is markup: a name may be written to be."""
    text = NFT.replace("iif lo", 'iifname "`[x](y)`"').replace('include "more.nft"', "")
    client.open("evil.nft", text)
    said = client.at("hover", "evil.nft", *place_of(text, "[x]", "iif"))["contents"]["value"]
    assert "`` " in said
    client.close("evil.nft")


def test_lenses_say_what_a_line_accepts(client: Client) -> None:
    client.open("lens.rules", SHADOWED)
    lenses = client.ask("textDocument/codeLens", textDocument={"uri": client.uri("lens.rules")})
    told = [client.ask("codeLens/resolve", **each)["command"]["title"] for each in lenses]
    assert told == [
        "accepts in on lo, no rules above",
        "accepts established or related, 1 rule above",
        "accepts tcp from 203.0.113.0/24 to port 22, 2 rules above",
        "may accept tcp to port 443, no rules above",
    ]
    client.close("lens.rules")


def test_symbols_are_tables_chains_sets_and_defines(client: Client) -> None:
    client.open("symbols.nft", NFT)
    found = client.ask(
        "textDocument/documentSymbol", textDocument={"uri": client.uri("symbols.nft")}
    )
    assert [each["name"] for each in found] == ["lan", "inet fw"]
    assert [each["name"] for each in found[1]["children"]] == ["banned", "ssh", "input"]
    client.close("symbols.nft")


# -- names ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "part", "declared"),
    [
        ("jump ssh", "ssh", "chain ssh"),
        ("@banned", "banned", "set banned"),
        ("$lan", "lan", "define lan"),
    ],
)
def test_a_name_leads_to_where_it_is_made(
    client: Client, line: str, part: str, declared: str
) -> None:
    client.open("go.nft", NFT)
    (place,) = client.at("definition", "go.nft", *place_of(NFT, line, part))
    assert place["range"]["start"]["line"] == line_of(NFT, declared)
    context = {"includeDeclaration": True}
    used = client.at("references", "go.nft", *place_of(NFT, line, part), context=context)
    assert len(used) == 2
    client.close("go.nft")


def test_an_include_leads_to_the_file(client: Client) -> None:
    text = NFT.replace('"more.nft"', f'"{client.folder}/more.nft"')
    client.open("inc.nft", text)
    (place,) = client.at("definition", "inc.nft", *place_of(text, "include", "more"))
    assert place["uri"] == client.uri("more.nft")
    client.close("inc.nft")


def test_a_jump_of_a_script_leads_to_the_command_that_makes_the_chain(client: Client) -> None:
    client.open("go.sh", SCRIPT, "shellscript")
    (place,) = client.at("definition", "go.sh", 2, 10)
    assert place["range"]["start"]["line"] == 1
    client.close("go.sh")


@pytest.mark.parametrize(
    ("text", "line", "part", "new"),
    [
        (SHADOWED, "--dport 443", "WEB", "PAGES"),
        (NFT, "jump ssh", "ssh", "login"),
        (NFT, "@banned", "banned", "bad_ones"),
        (NFT, "$lan", "lan", "inside"),
    ],
)
def test_a_rename_changes_all_uses_and_nothing_else(
    client: Client, text: str, line: str, part: str, new: str
) -> None:
    client.open("nftables.conf", text)
    at = place_of(text, line, part)
    assert client.at("prepareRename", "nftables.conf", *at)["start"]["line"] == at[0]
    edit = client.at("rename", "nftables.conf", *at, newName=new)
    changed = applied(text, edit["changes"][client.uri("nftables.conf")])
    assert changed.replace(new, part) == text
    assert iptlint.diff(iptlint.read(text), iptlint.read(changed)).equivalent
    client.close("nftables.conf")


@pytest.mark.parametrize(
    ("name", "text", "line", "part", "new", "why"),
    [
        ("a.rules", SHADOWED, "--dport 443", "WEB", "INPUT", "stands in the file already"),
        ("a.rules", SHADOWED, "--dport 443", "WEB", "a b", "would be said"),
        ("a.rules", SHADOWED, "--dport 443", "WEB", "", "at least one character"),
        ("a.rules", SHADOWED, "-i lo", "INPUT", "IN", "chain of the kernel"),
        ("a.rules", SHADOWED, "-i lo", "lo", "lo1", "only names of chains"),
        ("part.nft", NFT[18:], "jump ssh", "ssh", "login", "includes this one"),
    ],
)
def test_what_is_not_proved_is_not_renamed(
    client: Client, name: str, text: str, line: str, part: str, new: str, why: str
) -> None:
    client.open(name, text)
    with pytest.raises(ResponseError, match=why):
        client.at("rename", name, *place_of(text, line, part), newName=new)
    client.close(name)


# -- layout ---------------------------------------------------------------------------------------


def test_a_file_is_laid_out_as_the_tools_print_it(client: Client) -> None:
    text = "table inet a {\n  chain c {\n tcp dport {22,80} accept   # web\n  }\n}\n"
    options = {"tabSize": 8, "insertSpaces": True}
    uri = client.open("fmt.nft", text)
    edits = client.ask("textDocument/formatting", textDocument={"uri": uri}, options=options)
    laid_out = applied(text, edits)
    assert (
        laid_out == "table inet a {\n\tchain c {\n\t\ttcp dport { 22, 80 } accept # web\n\t}\n}\n"
    )
    client.change("fmt.nft", laid_out, 2)
    assert client.ask("textDocument/formatting", textDocument={"uri": uri}, options=options) == []
    client.change("fmt.nft", text.replace("dport", "dprot"), 3)
    with pytest.raises(ResponseError):
        client.ask("textDocument/formatting", textDocument={"uri": uri}, options=options)
    client.close("fmt.nft")


# -- fixes ----------------------------------------------------------------------------------------


def test_a_quick_fix_is_a_proved_edit(client: Client) -> None:
    twice = SHADOWED.replace("-A WEB -j DROP", "-A WEB -j DROP\n-A WEB -j DROP")
    client.open("fix.rules", twice)
    number = line_of(twice, "-A WEB -j DROP") + 1
    place = {"line": number, "character": 0}
    actions = client.ask(
        "textDocument/codeAction",
        textDocument={"uri": client.uri("fix.rules")},
        range={"start": place, "end": place},
        context={"diagnostics": []},
    )
    assert [action["kind"] for action in actions] == ["quickfix"]
    edit = actions[0]["edit"]["changes"][client.uri("fix.rules")]
    assert applied(twice, edit) == SHADOWED
    client.close("fix.rules")


def test_a_fix_is_not_applied_to_another_text(tmp_path: Path) -> None:
    can = {"textDocument": {"codeAction": {"resolveSupport": {"properties": ["edit"]}}}}
    with Client(tmp_path.resolve(), can) as client:
        client.open("old.rules", SHADOWED)
        place = {"line": line_of(SHADOWED, "203.0.113.7"), "character": 0}
        (action,) = client.ask(
            "textDocument/codeAction",
            textDocument={"uri": client.uri("old.rules")},
            range={"start": place, "end": place},
            context={"diagnostics": []},
        )
        assert "edit" not in action
        assert client.ask("codeAction/resolve", **action)["edit"]["changes"]
        client.change("old.rules", SHADOWED.replace("203.0.113.7", "203.0.113.8"), 2)
        assert "edit" not in client.ask("codeAction/resolve", **action)
        assert "has changed" in client.messages[-1]["params"]["message"]
        assert client.stop() == 0


def test_without_the_extra_a_sentence_says_what_to_install(tmp_path: Path) -> None:
    script = "import sys; sys.modules['pygls'] = None; from iptlint.cli import main; main(['lsp'])"
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert "pip install 'iptlint[editor]'" in done.stderr
    assert len(done.stderr.splitlines()) == 1


# -- what may go wrong ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\0\0",
        "\ud800 lone",
        "*filter\n" * 300,
        "{" * 20_000,
        '{"nftables": [' * 900,
        "\ufeff*filter\n",
    ],
)
def test_any_text_is_answered(client: Client, text: str) -> None:
    uri = client.open("any.nft", text)
    client.wait("any.nft", lambda _: True)
    assert client.at("hover", "any.nft", 0, 0) is not False
    client.ask("textDocument/documentSymbol", textDocument={"uri": uri})
    client.ask("textDocument/codeLens", textDocument={"uri": uri})
    assert client.at("definition", "any.nft", 99, 99) in ([], None)
    client.close("any.nft")


def test_a_file_that_is_gone_or_never_was_is_looked_at_as_it_is_open(client: Client) -> None:
    client.open("gone/away.rules", SHADOWED)
    client.wait("gone/away.rules", lambda told: "IPT101" in codes(told))
    client.close("gone/away.rules")
    item = {"uri": "untitled:Untitled-1", "languageId": "x", "version": 1, "text": SHADOWED}
    client.tell("textDocument/didOpen", textDocument=item)
    said = client.ask(
        "textDocument/hover",
        textDocument={"uri": "untitled:Untitled-1"},
        position={"line": 7, "character": 0},
    )
    assert "203.0.113.0/24" in said["contents"]["value"]
    client.tell("textDocument/didClose", textDocument={"uri": "untitled:Untitled-1"})


def test_a_question_about_what_is_not_open_has_no_answer(client: Client) -> None:
    for method in ("hover", "definition", "references", "prepareRename"):
        assert client.at(method, "never.rules", 0, 0, context={"includeDeclaration": True}) is None
    assert client.ask("textDocument/codeLens", textDocument={"uri": "file:///x"}) is None


def test_a_question_may_be_withdrawn(client: Client) -> None:
    client.open("many.rules", SHADOWED)
    asked = [
        client.begin(
            "textDocument/hover",
            textDocument={"uri": client.uri("many.rules")},
            position={"line": number, "character": 0},
        )
        for number in range(5, 11)
    ]
    for number in asked[:-1]:
        client.tell("$/cancelRequest", id=number)
    client.tell("$/cancelRequest", id=99_999)
    assert "rules above" in client.answer(asked[-1])["contents"]["value"]
    client.close("many.rules")


def test_what_is_no_message_ends_nothing(client: Client) -> None:
    client.send(b"this is not JSON")
    client.send(b'{"jsonrpc": "2.0", "id": 77777, "method": "no/such"}')
    client.send(json.dumps({"jsonrpc": "2.0", "method": "textDocument/didChange"}).encode())
    client.tell("textDocument/didChange", textDocument={"uri": 3}, contentChanges=None)
    client.open("after.rules", SHADOWED)
    client.wait("after.rules", lambda told: "IPT101" in codes(told))
    client.close("after.rules")


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="asks Linux for processes")
def test_a_worker_that_is_killed_is_begun_anew(tmp_path: Path) -> None:
    with Client(tmp_path.resolve()) as client:
        pid = client.process.pid
        for version in range(1, 4):
            client.open("a.rules", SHADOWED + "\n" * version)
            if version == 2:
                client.wait("a.rules", lambda _: True)  # the other one is at work
            else:
                client.wait("a.rules", lambda told: "IPT101" in codes(told))
            for child in {*_all(Path(f"/proc/{pid}/task").glob("*/children"))}:
                os.kill(int(child), signal.SIGKILL)
            client.close("a.rules")
        client.open("a.rules", SHADOWED)
        client.wait("a.rules", lambda told: "IPT101" in codes(told))
        assert client.stop() == 0


def _all(children: Iterable[Path]) -> Iterator[str]:
    for each in children:
        yield from each.read_text().split()


def test_the_server_ends_with_its_editor(tmp_path: Path) -> None:
    with Client(tmp_path.resolve()) as client:
        client.open("a.rules", SHADOWED)
        client.wait("a.rules", lambda told: "IPT101" in codes(told))
        assert client.process.stdin is not None
        client.process.stdin.close()
        assert client.process.wait(PATIENCE) == 0
        assert b"Traceback" not in client.stderr
