"""Inputs that cost what nobody pays, by name: each is answered in the time and the memory of a
plain file, and where something was left out, one IPT010 says so."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fuzz.hostile import HOSTILE

SECONDS, KIBIBYTES = 10, 1 << 20


def doubling(first: str, form: str) -> str:
    lines = [f"define a0 = {first}"]
    lines += [f"define a{n} = " + form.format(a=f"$a{n - 1}") for n in range(1, 40)]
    return "\n".join([*lines, ""])


USE = "table ip t {{\n chain c {{\n  {test} drop\n }}\n}}\n"
WITHOUT_VALUE = "#!/bin/bash\niptables -A INPUT -s $of_nobody -j DROP\n"
BASH = "#!/bin/bash\nx=" + "a" * 64 + "\n"


def cased(pattern: str) -> str:
    return f"{BASH}case $x in {pattern}) iptables -F;; esac\niptables -A INPUT -j DROP\n"


def chains_that_jump_twice(count: int) -> str:
    chains = [f":C{n} - [0:0]" for n in range(count + 1)]
    jumps = [f"-A C{n} -j C{n + 1}" for n in range(count) for _ in range(2)]
    return "\n".join(["*filter", *chains, "-A INPUT -j C0", *jumps, "COMMIT", ""])


QUOTED_SUBSTITUTION = '"$('

BOUNDED: dict[str, Callable[[], str]] = {
    "defines.nft": lambda: doubling("1.1.1.1", "{{ {a}, {a} }}"),
    "defines_used.nft": lambda: (
        doubling("1.1.1.1", "{{ {a}, {a} }}") + USE.format(test="ip saddr $a39")
    ),
    "defines_concatenated.nft": lambda: doubling("1", "{a} . {a}"),
    "defines_of_bits.nft": lambda: doubling("1", "{a} | {a}") + USE.format(test="meta mark $a39"),
    "comments.v4": lambda: "<!---->" * 200 + "x\n",
    "case.sh": lambda: cased("*a" * 20 + "*c"),
    "quoted_case.sh": lambda: cased('*"a"' * 20 + "*c"),
    "test_glob.sh": lambda: (
        f"{BASH}if [[ $x == {'*a' * 20}*c ]]; then iptables -F; fi\niptables -P INPUT DROP\n"
    ),
    "substitution.sh": lambda: f"{BASH}x=${{x//{'a*' * 20}c/}}\niptables -A INPUT -j DROP\n",
    "watch.sh": lambda: (
        "#!/bin/sh\nwhile true; do\n  ip=$(tail -n1 /var/log/attackers)\n"
        '  iptables -A INPUT -s "$ip" -j DROP\n  sleep 60\ndone\n'
    ),
    "list_that_doubles.sh": lambda: (
        f"{BASH}a=(1 2)\n" + "a=(${a[@]} ${a[@]})\n" * 40 + "iptables -A INPUT -s $a -j DROP\n"
    ),
    "list_added_to_itself.sh": lambda: (
        f"{BASH}a=(1 2)\n" + 'a+=("${a[@]}")\n' * 40 + "iptables -A INPUT -s $a -j DROP\n"
    ),
    "list_set_one_by_one.sh": lambda: (
        BASH + "".join(f"a[{n}]={n}\n" for n in range(20_000)) + "iptables -P INPUT DROP\n"
    ),
    "split_again_and_again.sh": lambda: (
        f'{BASH}y="{"a " * 20_000}"\n' + "set -- $y\n" * 2000 + "iptables -P INPUT DROP\n"
    ),
    "braces.nft": lambda: "table ip t " + "{" * 1_000_000,
    "braces.sh": lambda: "#!/bin/sh\n" + "{ " * 1_000_000,
    "newlines.nft": lambda: "\n" * 10_000_000,
    "quote.v4": lambda: '*filter\n-A INPUT -m comment --comment "' + "a " * 4_000_000,
    "subshells.sh": lambda: "#!/bin/sh\n" + "( " * 500_000 + "iptables -F" + " )" * 500_000 + "\n",
    "tests.sh": lambda: f"{BASH}[[ {'( ' * 5000}a{' )' * 5000} ]]\n",
    "ands.sh": lambda: f"{BASH}[[ {'a && ' * 5000}a ]]\n",
    "defaults.sh": lambda: f"{BASH}y={'${a:-' * 50_000}b{'}' * 50_000}\n",
    "substitutions.sh": lambda: BASH + '$("' * 5000 + "a" + '")' * 5000 + "\n",
    "saved_again_and_again.sh": lambda: (
        f"{BASH}iptables -P INPUT DROP\n" + "iptables-save > /root/rules\n" * 20_000
    ),
    "tests_in_a_line.sh": lambda: f"{WITHOUT_VALUE}echo '{'[ ' * 250_000}'\n",
    "patterns_in_a_line.sh": lambda: f"{WITHOUT_VALUE}echo '{'[[ == ' * 150_000}'\n",
    "pipes_in_a_line.sh": lambda: f"{WITHOUT_VALUE}echo '{'| ' * 400_000}'|\necho 2>&1 | a\n",
    "variables_without_values.sh": lambda: (
        "#!/bin/sh\n"
        + "".join(f"iptables -A INPUT -s $a{n} -j DROP\n" for n in range(1000))
        + "[ -n a ] && echo a\n" * 4000
    ),
    "expansions_in_a_line.sh": lambda: f"{BASH}iptables -F\ncat <<A\n{'$(a) ' * 200_000}\nA\n",
    "dots_before_blanks.sh": lambda: f"{BASH}iptables -P INPUT DROP\n. {' ' * 900_000}\n",
    # Where the grammar is at a loss it went back once for each: hours, which no budget ended.
    "lists_in_lists.sh": lambda: f"{BASH}{'a=(' * 300_000}\niptables -F\n",
    "cases_in_cases.sh": lambda: f"{BASH}case a in {'(a|' * 300_000}\niptables -F\n",
    "extended_patterns.sh": lambda: (
        f"{BASH}shopt -s extglob\necho {'a' * 500_000}{'@(x)' * 99_999}\n"
    ),
    "backticks.sh": lambda: f"{BASH}echo {'((`' * 200_000}\niptables -F\n",
    "quoted_substitutions.sh": lambda: f"{BASH}echo {QUOTED_SUBSTITUTION * 100_000}\niptables -F\n",
    "empty_lines.sh": lambda: f"{BASH}iptables -P INPUT DROP\n" + "\n" * 300_000,
    "here_documents.sh": lambda: BASH + "cat <<A <<B\nA\nB\n" * 50_000 + "iptables -F\n",
    "defines_in_a_row.nft": lambda: "".join(f"define a{n} = 10.0.0.1\n" for n in range(20_000)),
    "remarks.nft": lambda: "table ip t {\n" + "# a remark\n" * 100_000 + "}\n",
    "ignores.nft": lambda: "table ip t {\n}\n" + "# iptlint: ignore[IPT101]\n" * 20_000,
    "brackets.json": lambda: '{"nftables": ' + "[" * 1_000_000,
    "line.v4": lambda: "*filter\n-A INPUT -m comment --comment " + "x" * 1_000_000 + "\nCOMMIT\n",
    "line.nft": lambda: "table ip t { chain c { ip saddr " + "x" * 1_000_000 + " drop; } }\n",
    "line.sh": lambda: "#!/bin/sh\niptables -A INPUT -s " + "x" * 1_000_000 + " -j DROP\n",
    "subscripts.sh": lambda: "#!/bin/sh\n" + "a[" * 1_000_000 + "\niptables -F\n",
    "slashes.v4": lambda: "/" * 1_000_000,
}


@pytest.mark.parametrize("name", BOUNDED)
def test_it_costs_no_more_than_a_plain_file(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_text(BOUNDED[name](), "utf-8")
    status, said, seconds, kibibytes = cost(path)
    assert status in (0, 1, 2)
    assert "IPT009" not in said
    assert "Traceback" not in said
    assert (seconds < SECONDS, kibibytes < KIBIBYTES) == (True, True), (seconds, kibibytes)
    assert ("IPT010" in said) == (name in CUT), said[:1000]


CUT = {
    *("defines.nft", "defines_used.nft", "defines_concatenated.nft", "defines_of_bits.nft"),
    *("braces.nft", "braces.sh", "subshells.sh", "subscripts.sh", "brackets.json"),
    "expansions_in_a_line.sh",
    *("lists_in_lists.sh", "cases_in_cases.sh", "extended_patterns.sh"),
    *("list_that_doubles.sh", "list_added_to_itself.sh", "list_set_one_by_one.sh"),
    *("split_again_and_again.sh", "saved_again_and_again.sh"),
    *("ignores.nft", "tests.sh", "ands.sh", "defaults.sh", "substitutions.sh", "here_documents.sh"),
}
"""What is not looked at to the end; of the others all is."""


LARGE: dict[str, tuple[int, int, int]] = {
    "jumps.nft": (10_000, SECONDS, KIBIBYTES),
    "jumps.v4": (10_000, SECONDS, KIBIBYTES),
    "intervals.nft": (10_000, SECONDS, KIBIBYTES),
    "base_chains.nft": (5_000, SECONDS, KIBIBYTES),
    "tables.nft": (5_000, SECONDS, KIBIBYTES),
    "crlf.v4": (10_000, SECONDS, KIBIBYTES),
    "crlf.nft": (10_000, SECONDS, KIBIBYTES),
    "crlf.sh": (10_000, SECONDS, KIBIBYTES),
    "one_line.json": (100_000, SECONDS, KIBIBYTES),
    "many_words.sh": (150_000, SECONDS, KIBIBYTES),
    "addresses.v4": (65_536, SECONDS, KIBIBYTES),
    "interfaces.v4": (65_536, SECONDS, KIBIBYTES),
    "interfaces.nft": (65_536, SECONDS, KIBIBYTES),
    "verdicts.nft": (50_000, SECONDS, KIBIBYTES),
    "unknown_extensions.v4": (3_000, SECONDS, KIBIBYTES),
    "limits.v4": (6_000, SECONDS, KIBIBYTES),
    "unknown_chains.v4": (10_000, SECONDS, KIBIBYTES),
    "unknown_chains.sh": (3_000, SECONDS, KIBIBYTES),
    "unknown_sets.nft": (3_000, SECONDS, KIBIBYTES),
    "braces.sh": (5_000_000, SECONDS, KIBIBYTES),
    "elements.nft": (1_000_000, 2 * SECONDS, 3 * KIBIBYTES // 2),
    "elements.ipset": (1_000_000, 2 * SECONDS, 3 * KIBIBYTES // 2),
}
"""Of ``tests/fuzz/hostile.py``: how many parts, seconds and kibibytes."""


@pytest.mark.parametrize("name", LARGE)
def test_what_is_as_long_as_it_gets(name: str, tmp_path: Path, pytestconfig: pytest.Config) -> None:
    parts, most_seconds, most_kibibytes = LARGE[name]
    if not pytestconfig.getoption("--long"):
        parts = max(parts // 50, 2_000)  # long chains are followed another way
    path = tmp_path / name
    path.write_bytes(HOSTILE[name](parts).encode("utf-8", "surrogateescape"))
    status, said, seconds, kibibytes = cost(path)
    assert status in (0, 1, 2)
    assert not [word for word in ("IPT009", "Traceback") if word in said]
    assert (seconds < most_seconds, kibibytes < most_kibibytes) == (True, True), (
        seconds,
        kibibytes,
    )


def test_rules_that_overlap_take_as_long_as_they_may(
    tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    """The budget ends what takes longer."""
    path = tmp_path / "overlapping.v4"
    parts = 100_000 if pytestconfig.getoption("--long") else 40_000
    path.write_text(HOSTILE[path.name](parts), "utf-8")
    status, said, seconds, kibibytes = cost(path, "--timeout=5")
    assert status == 1
    assert said.count("IPT010 input-limit: ") == 1
    sentence = " ".join(said.split())  # where its lines end depends on the length of the path
    assert "the time of 5 s a file (--timeout) was not enough" in sentence
    assert (seconds < SECONDS, kibibytes < KIBIBYTES) == (True, True), (seconds, kibibytes)


def test_ten_thousand_rules_that_overlap_are_answered_in_full(tmp_path: Path) -> None:
    """Of those that several together leave nothing to, each was followed by itself: 12 s."""
    path = tmp_path / "overlapping.v4"
    path.write_text(HOSTILE[path.name](10_000), "utf-8")
    _, said, seconds, kibibytes = cost(path)
    assert "IPT010" not in said
    assert (seconds < SECONDS, kibibytes < KIBIBYTES) == (True, True), (seconds, kibibytes)


def test_a_device_is_refused() -> None:
    said = subprocess.run(
        [sys.executable, "-m", "iptlint", "/dev/zero"], capture_output=True, text=True, check=False
    )
    assert (said.returncode, said.stdout) == (2, "")
    assert "/dev/zero" in said.stderr


def test_files_that_include_each_other_have_an_end(tmp_path: Path) -> None:
    for number in range(9):
        (tmp_path / f"t{number}.nft").write_text(f'include "./t{number + 1}.nft"\n' * 10, "utf-8")
    (tmp_path / "t9.nft").write_text("table ip t { chain c { drop; } }\n", "utf-8")
    _, said, seconds, _ = cost(tmp_path / "t0.nft")
    assert said.count("IPT010") == 1
    assert "More than 500 files" in said
    assert seconds < SECONDS


METER = """
import os, subprocess, sys
with open(sys.argv[1], "wb") as printed:
    process = subprocess.Popen(sys.argv[2:], stdout=printed, stderr=subprocess.STDOUT)
    _, status, used = os.wait4(process.pid, 0)
process.returncode = os.waitstatus_to_exitcode(status)
print(process.returncode, used.ru_utime + used.ru_stime, used.ru_maxrss)
"""
"""A process of its own, and a small one: what is started has its starter's peak of memory from the
first (ru_maxrss of getrusage(2) goes on over fork), and that of a long test run is large."""


def cost(path: Path, *options: str) -> tuple[int, str, float, int]:
    """Its status, what it says, the seconds of processor time and the most memory it took, without
    what only tests ask: the packet of a finding is followed as long as it takes."""
    printed = path.with_suffix(".printed")
    command = [sys.executable, "-m", "iptlint", *options, str(path)]
    meter = [sys.executable, "-c", METER, str(printed), *command]
    environment = {name: v for name, v in os.environ.items() if name != "IPTLINT_CHECK_WITNESSES"}
    measured = subprocess.run(meter, capture_output=True, text=True, check=True, env=environment)
    status, seconds, kibibytes = measured.stdout.split()
    said = printed.read_text("utf-8", "replace")
    return int(status), said, float(seconds), int(kibibytes)


def test_a_large_run_of_tests_is_not_counted(tmp_path: Path) -> None:
    path = tmp_path / "empty.v4"
    path.write_text("*filter\nCOMMIT\n", "utf-8")
    ballast = b"x" * (KIBIBYTES * 1024 // 4)
    *_, kibibytes = cost(path)
    assert kibibytes < len(ballast) // 1024
