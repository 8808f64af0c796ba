"""Whatever is named, and whatever it is called: nothing of a name reaches a terminal or a log as
anything but what can be seen."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click import ClickException
from click.testing import CliRunner

from iptlint.cli import _shown, group
from iptlint.reports.safe import is_hidden

NASTY = ("\x1b[31m", "\x1b]0;x\x07", "\x9b2J", "\u202ex", "\u2066x", "\x7f", "\u200bx", "\u2028")

SAVED = """\
*filter
:INPUT DROP [0:0]
:E{0}VIL - [0:0]
-A INPUT -i e{0}0 -m comment --comment "a{0}b" -j E{0}VIL
-A E{0}VIL -m set --match-set s{0} src -j ACCEPT
-A E{0}VIL -p tcp -m tcp --dport 22 -m string --string "a{0}b" --algo bm -j LOG --log-prefix "a{0}b"
-A E{0}VIL -p tcp -m tcp --dport {0} -j NO{0}SUCH
-A E{0}VIL -p tcp -j ACCEPT
-A E{0}VIL -p tcp -m tcp --dport 22 -j DROP
COMMIT
"""
SCRIPT = """\
#!/bin/sh
X="a{0}b"
iptables -N "E{0}VIL"
iptables -A INPUT -i "$X" -j "E{0}VIL"
iptables -A "E{0}VIL" -s "{0}" -j DROP
iptables -A INPUT -p tcp --dport "{0}" -j ACCEPT
"""


def listing(nasty: str) -> str:
    named = {"family": "inet", "table": f"t{nasty}"}
    return json.dumps(
        {
            "nftables": [
                {"table": {"family": "inet", "name": f"t{nasty}"}},
                {
                    "chain": {
                        **named,
                        "name": f"c{nasty}",
                        **{"type": "filter", "hook": "input", "prio": 0, "policy": "drop"},
                    }
                },
                {
                    "set": {
                        **named,
                        "name": f"s{nasty}",
                        "type": "ipv4_addr",
                        "elem": [f"h{nasty}", "192.0.2.1"],
                    }
                },
                {
                    "rule": {
                        **named,
                        "chain": f"c{nasty}",
                        "comment": f"x{nasty}",
                        "expr": [
                            {
                                "match": {
                                    "op": "==",
                                    "left": {"meta": {"key": "iifname"}},
                                    "right": f"e{nasty}",
                                }
                            },
                            {"accept": None},
                        ],
                    }
                },
            ]
        }
    )


def texts(nasty: str) -> dict[str, str]:
    name = nasty.replace("\u2028", "")  # in a path, but not between the words of a line
    return {
        f"a{name}.v4": SAVED.format(nasty),
        f"a{name}.sh": SCRIPT.format(nasty),
        f"a{name}.json": listing(nasty),
        f"a{name}.nft": f"table ip t{nasty} {{\n chain c{nasty} {{ drop; }}\n}}\n",
        f"a{name}.ipset": f"create s{nasty} hash:ip\nadd s{nasty} {nasty}\n",
    }


@pytest.mark.parametrize("nasty", NASTY, ids=ascii)
@pytest.mark.parametrize(
    "command",
    [
        ["check", "--fail-on=never"],
        ["reach"],
        ["loads"],
        ["trace", "--proto=tcp", "--dport=22"],
        ["diff"],
    ],
    ids=lambda words: words[0],
)
def test_only_what_can_be_seen_is_printed(command: list[str], nasty: str, tmp_path: Path) -> None:
    for name, text in texts(nasty).items():
        path = tmp_path / name
        path.write_bytes(text.encode("utf-8", "surrogateescape"))
        files = [str(path)] * (1 + (command[0] == "diff"))
        for form in ("text", "json"):
            words = [*command, f"--output-format={form}", *files]
            result = CliRunner().invoke(group, words, standalone_mode=False)
            said = result.output + getattr(result.exception, "message", "")
            shown = said if form == "text" else result.stdout
            hidden = {each for each in shown if is_hidden(each) and each != "\n"}
            assert not hidden, (name, form, sorted(map(ascii, hidden)))


ALL = ("text", "concise", "grouped", "json", "json-lines", "sarif", "github", "gitlab", "junit")
FORMS = {
    "check --fail-on=never": (*ALL, "checkstyle", "markdown", "csv", "html"),
    "check --fail-on=never --profile=cis": ("text", "markdown", "html"),
    "check --fail-on=never --show-suppressed --verbose": ("text",),
    "explain": ("text", "markdown", "json"),
    "matrix": ("text", "csv", "markdown", "json", "html"),
    "convert": ("text", "json"),
    "fmt": ("text", "json"),
    "fmt --diff": ("text",),
    "check --fail-on=never --diff": ("text",),
    "graph": ("svg", "dot", "mermaid", "json"),
    "test": ("text", "json"),
    "apply --dry-run": ("text", "json"),
}
TOGETHER = "\x1b[31m\x9b2J\u202ex"


@pytest.mark.parametrize("command", FORMS)
def test_no_answer_in_any_form_shows_more(command: str, tmp_path: Path) -> None:
    for name, text in texts(TOGETHER).items():
        path = tmp_path / name
        path.write_bytes(text.encode())
        for form in FORMS[command]:
            words = [*command.split(), f"--output-format={form}", str(path)]
            hidden = {each for each in said(words) if is_hidden(each) and each not in "\n\t"}
            assert not hidden, (name, form, sorted(map(ascii, hidden)))


def test_nothing_of_a_log_is_shown_as_it_is(tmp_path: Path) -> None:
    rules, log = tmp_path / "rules.v4", tmp_path / "log"
    rules.write_bytes(SAVED.format(TOGETHER).encode())
    entry = f"{TOGETHER} IN=e{TOGETHER}0 OUT= SRC=192.0.2.1 DST=192.0.2.2 PROTO=TCP SPT=1 DPT=22"
    log.write_bytes(f"kernel: [1.0] a{TOGETHER}b{entry}\nkernel: [1.0] {TOGETHER}\n".encode())
    for form in ("text", "json"):
        words = ["trace", f"--log={log}", f"--output-format={form}", str(rules)]
        hidden = {each for each in said(words) if is_hidden(each) and each != "\n"}
        assert not hidden, (form, sorted(map(ascii, hidden)))


def test_an_error_shows_a_name_whole(tmp_path: Path) -> None:
    """click leaves colours out of what it writes to a file, and then it is not what it was."""
    shown = said(["check", str(tmp_path / TOGETHER)])
    assert r"\x1b[31m\x9b2J\u202ex" in shown


def said(words: list[str]) -> str:
    """All that the command prints, and what it ends with, as ``main`` shows it."""
    result = CliRunner().invoke(group, words, standalone_mode=False)
    ended = result.exception
    if ended is None or isinstance(ended, SystemExit):
        return result.output
    assert isinstance(ended, ClickException), ended
    return result.output + _shown(ended)
