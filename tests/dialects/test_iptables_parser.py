"""Text to tree: which lines are taken, what their words are, and where they stand."""

from __future__ import annotations

import csv
import random
import re
from dataclasses import fields
from pathlib import Path

import pytest

from iptlint.dialects.diagnostics import Fate
from iptlint.dialects.iptables.parsing.guess_family import family_of_path
from iptlint.dialects.iptables.parsing.parser import parse
from iptlint.dialects.iptables.parsing.tree import (
    ChainLine,
    Command,
    CommandLine,
    CommitLine,
    SaveFile,
    Shape,
    TableLine,
    WordPlace,
)
from iptlint.dialects.iptables.parsing.words import split_words
from iptlint.model import Family
from iptlint.source import SourceFile
from tests.parts import Part

CORPUS = Path(__file__).resolve().parents[3] / "shared" / "corpus"
needs_corpus = pytest.mark.skipif(not CORPUS.is_dir(), reason="no corpus beside the project")


def in_table(*lines: str) -> str:
    return "\n".join(("*filter", ":INPUT ACCEPT [0:0]", ":FOO - [0:0]", *lines, "COMMIT", ""))


def read(text: str, family: Family = Family.IP, *, path: str = "x", fast: bool = True) -> SaveFile:
    return parse(SourceFile(path, text), family, fast=fast)


def line_of(rule: str, family: Family = Family.IP) -> tuple[SaveFile, CommandLine]:
    file = read(in_table(rule), family)
    assert file.diagnostics == ()
    line = file.lines[3]
    assert isinstance(line, CommandLine)
    return file, line


def problem_in(rule: str) -> str:
    file = read(in_table(rule))
    (diagnostic,) = file.diagnostics
    assert [type(line) for line in file.lines] == [TableLine, ChainLine, ChainLine, CommitLine]
    return f"{diagnostic.message} {diagnostic.hint or ''}"


# -- what is taken, and what is refused ---------------------------------------

# Each was given to iptables-restore 1.8.9, which takes it.
TAKEN = r"""
-A INPUT -v -j ACCEPT
-A INPUT -j ACCEPT --
   -A INPUT -j ACCEPT
[0:0]-A INPUT -j ACCEPT
[foo:bar] -A INPUT -j ACCEPT
-A INPUT -c 1,2 -j ACCEPT
-A INPUT -c 1 2 -j ACCEPT
-A INPUT --set-counters 1 2 -j ACCEPT
-P INPUT DROP -c 1 2
-A INPUT -p tcp --dp 22 -j ACCEPT
-A INPUT -p tcp --destination-p 22 -j ACCEPT
-A INPUT -j LOG -m limit --limit 1/s
-A INPUT -m "state" --sta"te" NEW
-A INPUT -m comment --comment ""
-A INPUT -m comment --comment !
-A INPUT -m comment --comment "-x"
-A INPUT -m comment --comment --comment
-A INPUT -m comment --comment "a"-j ACCEPT
-A INPUT -m comment --comment "a\"b" -j ACCEPT
-A INPUT -m comment --comment -m -j ACCEPT
-D INPUT 1
-I INPUT 1 -j ACCEPT
-I INPUT 0x2 -j ACCEPT
-N BAR
-N BAR -m tcp
-A INPUT -g FOO
-A INPUT -4 -j ACCEPT
-L
-L -Z
--app INPUT -j ACCEPT
--a INPUT -j ACCEPT
-AINPUT -jACCEPT
-A INPUT -p tcp --tcp-flags=SYN,ACK SYN -j ACCEPT
-A INPUT -p 6 --dport 22 -j ACCEPT
-A INPUT -p TCP --dport 22 -j ACCEPT
-A INPUT ! -p tcp --dport 22 -j ACCEPT
-A INPUT -f -j ACCEPT
-A INPUT -M /sbin/modprobe -j ACCEPT
-A INPUT -m mark ! --mark 1 -j ACCEPT
-A INPUT -p tcp -j ACCEPT --dport 22
-A INPUT -j LOG --log-prefix="x y"
-E FOO BAZ
-S
-X
-Z INPUT
:NEW - [0:0] foo
:INPUT ACCEPT foo
: NEW -
-A INPUT "-j" "ACCEPT"
-A INPUT -m conntrack --ctstate NEW -m conntrack --ctstate ESTABLISHED
-A INPUT -m foo --bar baz qux -p tcp --dport 22 -j ACCEPT
-A INPUT -j ELSEWHERE --with options -p tcp
""".strip().splitlines()


@pytest.mark.parametrize("rule", TAKEN)
def test_takes_what_the_tool_takes(rule: str) -> None:
    assert read(in_table(rule)).diagnostics == ()


REFUSED = {
    "-A INPUT -n -j ACCEPT": "--numeric may not stand with -A",
    "-A INPUT -w -j ACCEPT": "--wait may not stand in a file",
    "-A INPUT -- -j ACCEPT": "`-j` comes after `--`",
    "[0:0 -A INPUT -j ACCEPT": "`[0:0` is not",
    " [0:0] -A INPUT -j ACCEPT": "`[0:0]` is not",
    "[0:0]": "counters and no rule",
    "-A INPUT -c a b -j ACCEPT": "counters are no numbers",
    "-A INPUT -p tcp --dport ! 22 -j ACCEPT": "`22` is not an option's argument; expected an "
    "option. Put `!` before the option",
    "-A INPUT -p tcp -dport 22 -j ACCEPT": "`-dport` lacks a dash; expected `--dport`",
    "-A INPUT -p tcp -limit 5/min -j ACCEPT": "`-limit` lacks a dash; expected `--limit`",
    "-A INPUT -d10.0.0.1 22 -j ACCEPT": "`22` is not an option's argument",
    "-A INPUT -p tcp --de 22 -j ACCEPT": "--de` is unknown",
    "-A INPUT -s 1.2.3.4 --src 1.2.3.5 -j ACCEPT": "--source is given twice",
    "-A INPUT ! ! -s 1.2.3.4 -j ACCEPT": "two `!`",
    "-A INPUT -j ACCEPT !": "Nothing follows `!`",
    "-A INPUT ! -j ACCEPT": "--jump cannot be negated",
    "-A INPUT ! -m tcp -p tcp -j ACCEPT": "--match cannot be negated",
    "-A INPUT -m limit --limit 1/s --limit 2/s": "--limit is given twice",
    "-A INPUT -m limit ! --limit 1/s": "--limit cannot be negated",
    "-A INPUT -m mark --mark 1 -m connmark --mark 2 -m mark --mark 3": "--mark is given twice",
    "-A INPUT -m state": "`state` is incomplete; expected --state",
    "-A INPUT -m comment --comment": "--comment lacks its argument",
    "-D INPUT 1 -j ACCEPT": "-D takes no target",
    "-I INPUT foo -j ACCEPT": "`foo` is not the number",
    "-D INPUT 0": "`0` is not the number",
    "-I INPUT -j ACCEPT foo": "`foo` is not",
    "-R INPUT -j ACCEPT": "-R is incomplete",
    "-N BAR -s 1.2.3.4": "--source may not stand with -N",
    "-N -foo": "No chain has such a name",
    "-A INPUT -g FOO -j ACCEPT": "two targets",
    "-A INPUT -t filter -j ACCEPT": "-t may not stand in a table",
    "-A INPUT -F": "-F cannot go with -A",
    '-A INPUT -j ""': "cannot be a target's name",
    '-A INPUT -j "FOO BAR"': "cannot be a target's name",
    "-A INPUT -p tcp --tcp-flags SYN,ACK -j ACCEPT": "--tcp-flags is incomplete",
    "-A INPUT -p tcp --syn=1 -j ACCEPT": "--syn takes no argument",
    "-A INPUT -j FOO --dport 22": "`FOO` is a chain of this table and has no option `--dport`",
    "-A INPUT -z": "`-z` is unknown",
    "-A INPUT - -j ACCEPT": "`-` is not",
    "-A INPUT -i ! eth0 -j ACCEPT": "`eth0` is not",
    "-E FOO": "-E is incomplete",
    "-F INPUT foo": "`foo` is not",
    ":NEW": "line is incomplete",
    "-A INPUT --dprot 22 -p tcp -m tcp": "unknown here",
    "-A INPUT -p tcp -m tcp --dprot 22": "Did you mean `--dport`?",
    "-A INPUT --icmp-type 8 -j ACCEPT": "`--icmp-type` is an option of `-p icmp`",
    "-A INPUT --dport 22 -j ACCEPT": "option of `-p tcp` or `-p udp`",
    "-A INPUT -p tcp \\": "does not join lines",
    "-A INPUT -m comment --comment 'a b'": "Only double quotes",
    "-A INPUT -m comment --comment " + "x" * 1024: "too long",
    "-A INPUT" + " -v" * 250: "too many words",
}


@pytest.mark.parametrize(("rule", "said"), REFUSED.items(), ids=lambda text: text[:60])
def test_refuses_what_the_tool_refuses(rule: str, said: str) -> None:
    assert said in problem_in(rule)


def test_problem_names_the_words() -> None:
    text = in_table("-A INPUT -j ACCEPT", '-A INPUT -m comment --comment "a b" \t-p tcp --dprot 22')
    source = SourceFile("x", text)
    (diagnostic,) = parse(source).diagnostics
    assert text[diagnostic.start : diagnostic.end] == "--dprot"
    assert source.line_of(diagnostic.start) == 5


def test_problems_come_in_the_order_of_the_text() -> None:
    text = in_table("-A FOO -j FOO --odd", "-A FOO what", "-A FOO -j FOO --odder")
    starts = [diagnostic.start for diagnostic in read(text).diagnostics]
    assert len(starts) == 3
    assert starts == sorted(starts)


# -- lines and tables ---------------------------------------------------------


def test_lines() -> None:
    text = "# x\n\n* nat \n:PREROUTING ACCEPT [1:2]\n:A - [0:0]\n\n[3:4] -A A -j RETURN\nCOMMIT\n"
    file = read(text)
    assert file.diagnostics == ()
    table, base, user, rule, commit = file.lines
    assert table == TableLine("nat", Family.IP, 5, 11)
    assert base == ChainLine("PREROUTING", "ACCEPT", (1, 2), 12, 36)
    assert user == ChainLine("A", "-", None, 37, 47)
    assert isinstance(rule, CommandLine)
    assert rule.counters == (3, 4)
    assert rule.words == ("-A", "A", "-j", "RETURN")
    assert commit == CommitLine(text.index("COMMIT"), len(text) - 1)


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("*filter\nCOMMIT\n-A INPUT\n-A INPUT\n", (3,)),
        ("*filter\n-A INPUT\n", (3,)),
        ("*filter\n-A INPUT\n*nat\nCOMMIT\n", (3,)),
        ("*filter\nCOMMIT \n*nat\nCOMMIT\n", (2,)),
        ("COMMIT\n", (1,)),
        ("hello\nworld\n", (1,)),
        ("*\nCOMMIT\n", (1,)),
        ("*filter\n:\nCOMMIT\nCOMMIT\n", (2, 4)),
        (":INPUT ACCEPT [0:0]\n-A INPUT\n", (1,)),
    ],
)
def test_lines_in_the_wrong_place(text: str, lines: tuple[int, ...]) -> None:
    file = read(text)
    assert tuple(file.source.line_of(diagnostic.start) for diagnostic in file.diagnostics) == lines


def test_unclosed_quote_ends_with_its_line() -> None:
    """iptables-restore 1.8.9 takes it, with the end of the line as a part of the word."""
    file = read(in_table('-A INPUT -m comment --comment "oops', "-A INPUT -j DROP"))
    (diagnostic,) = file.diagnostics
    assert diagnostic.fate is Fate.CHANGED
    assert [line.words for line in file.lines if isinstance(line, CommandLine)] == [
        ("-A", "INPUT", "-m", "comment", "--comment", "oops\n"),
        ("-A", "INPUT", "-j", "DROP"),
    ]


def test_a_line_of_blanks_is_refused() -> None:
    """iptables-restore 1.8.9: "no command specified"."""
    file = read(in_table("-A INPUT -j DROP", " \t"))
    assert [file.source.line_of(diagnostic.start) for diagnostic in file.diagnostics] == [5]


def test_crlf() -> None:
    file = read(in_table("-A INPUT -j DROP", "-A INPUT").replace("\n", "\r\n"))
    assert file.diagnostics == ()
    assert file.crlf == len("*filter")
    assert read(in_table()).crlf is None


def test_bare() -> None:
    file = read(
        "# of iptables -S\n-P INPUT DROP -c 1 2\n-N FOO\n-A INPUT -c 5 6 -j FOO\n-t nat -F\n"
    )
    assert file.bare
    assert file.diagnostics == ()
    policy, new, rule, flush = file.lines
    assert isinstance(policy, CommandLine)
    assert policy.shape.command is Command.POLICY
    assert policy.shape.policy == WordPlace(2)
    assert policy.counters == (1, 2)
    assert isinstance(new, CommandLine)
    assert new.shape.command is Command.NEW_CHAIN
    assert isinstance(rule, CommandLine)
    assert rule.counters == (5, 6)
    assert isinstance(flush, CommandLine)
    assert flush.shape.table == WordPlace(1)
    assert not read(in_table("-A INPUT")).bare


# -- shapes -------------------------------------------------------------------


def test_options_and_their_words() -> None:
    _, line = line_of('-A INPUT ! -s 192.0.2.1 -p tcp --dport=22 -m comment --comment "a b" -jLOG')
    shape = line.shape
    assert shape.command is Command.APPEND
    assert shape.chain == WordPlace(1)
    source, protocol = shape.core
    assert (source.negated, source.texts(line.words), source.start, source.end) == (
        True,
        ("192.0.2.1",),
        2,
        5,
    )
    assert protocol.option.name == "protocol"
    tcp, comment, log = shape.loads
    assert tcp.implicit
    assert [use.texts(line.words) for use in tcp.uses] == [("22",)]
    assert comment.uses[0].texts(line.words) == ("a b",)
    assert log.target
    assert shape.target is log
    assert shape.jump == WordPlace(12, 2)
    assert shape.jump.text(line.words) == "LOG"


def test_synonyms_are_one_option() -> None:
    _, line = line_of("-A INPUT --src 192.0.2.1 -p tcp -m tcp --sport 1")
    assert line.shape.core[0].option.name == "source"
    assert line.shape.loads[0].uses[0].option.name == "source-port"


def test_options_go_to_the_last_instance() -> None:
    _, line = line_of("-A INPUT -m recent --set --name a -m recent --rcheck --name b")
    first, second = line.shape.matches
    assert [use.texts(line.words) for use in first.uses] == [(), ("a",)]
    assert [use.texts(line.words) for use in second.uses] == [(), ("b",)]
    assert (first.start, first.end, second.start, second.end) == (2, 7, 7, 12)


def test_unknown_match_keeps_its_words() -> None:
    _, line = line_of("-A INPUT -m foo ! --bar baz qux -p tcp --more -j DROP")
    foo = line.shape.matches[0]
    assert foo.extension is None
    assert foo.name.text(line.words) == "foo"
    assert [line.words[i] for i in foo.rest] == ["!", "--bar", "baz", "qux", "--more"]
    assert (foo.start, foo.end) == (2, 8)
    assert line.shape.core[0].texts(line.words) == ("tcp",)


def test_unknown_target_and_jump() -> None:
    _, line = line_of("-A INPUT -j ELSEWHERE --with 1 2 -m tcp -p tcp")
    target = line.shape.target
    assert target is not None
    assert target.extension is None
    assert [line.words[i] for i in target.rest] == ["--with", "1", "2"]
    _, line = line_of("-A INPUT -p tcp -j ELSEWHERE")
    assert line.shape.target is None
    assert line.shape.jump == WordPlace(5)
    assert not line.shape.goto
    assert line_of("-A INPUT -g FOO")[1].shape.goto


def test_family_decides_what_is_known() -> None:
    _, line = line_of("-A INPUT -p icmp --icmp-type 8")
    assert line.shape.matches[0].name.text(line.words) == "icmp"
    _, line = line_of("-A INPUT -p ipv6-icmp --icmpv6-type 8", Family.IP6)
    assert line.shape.matches[0].extension is not None


def test_lines_alike_share_their_shape() -> None:
    rules = [f"-A INPUT -s 192.0.2.{i} -p tcp --dport={i} -j TO-{i}" for i in range(9)]
    file = read(in_table(*rules))
    shapes = [line.shape for line in file.lines if isinstance(line, CommandLine)]
    assert len(shapes) == 9
    assert len(set(map(id, shapes))) == 1


# -- spans --------------------------------------------------------------------


def test_word_spans() -> None:
    rule = '[1:2]\t-A  INPUT -m comment --comment "a \\"b" -p tcp --dport=22 "--sport=1 2"'
    file, line = line_of(rule)
    spans = [line.word_span(file.source, i).text for i in range(len(line.words))]
    assert spans == [
        *("-A", "INPUT", "-m", "comment", "--comment", '"a \\"b"'),
        *("-p", "tcp", "--dport=22", '"--sport=1 2"'),
    ]
    port, other = (use.arguments[0] for use in line.shape.matches[1].uses)
    assert line.place_span(file.source, port).text == "22"
    assert line.place_span(file.source, other).text == '1 2"'
    assert line.words_span(file.source, 2, 6).text == '-m comment --comment "a \\"b"'


# -- words --------------------------------------------------------------------


def split_as_the_tool(line: str) -> list[str] | None:
    """What iptables-restore does, one character after another."""
    words: list[str] = []
    word, quoted, escaped = "", False, False
    for char in line:
        if escaped:
            word, escaped = word + char, False
        elif quoted and char == "\\":
            escaped = True
        elif quoted and char == '"':
            words.append(word)
            word, quoted = "", False
        elif quoted:
            word += char
        elif char == '"':
            quoted = True
        elif char in " \t":
            words += [word] if word else []
            word = ""
        else:
            word += char
    return None if quoted else [*words, *([word] if word else [])]


def test_words_are_split_as_the_tool_does() -> None:
    dice = random.Random(4)
    for _ in range(20_000):
        line = "".join(dice.choices("ab\\\"' \t-!=", k=dice.randrange(14)))
        assert split_words(line) == split_as_the_tool(line), line


# -- the two ways of reading agree ---------------------------------------------


def told(file: SaveFile) -> list[object]:
    """All that a tree says, shapes by what is in them."""
    memo: dict[int, list[object]] = {}

    def shape_of(shape: Shape) -> list[object]:
        if id(shape) not in memo:
            memo[id(shape)] = [getattr(shape, field.name) for field in fields(shape)]
        return memo[id(shape)]

    lines: list[object] = [
        (shape_of(line.shape), line.words, line.counters, line.start, line.end)
        if isinstance(line, CommandLine)
        else line
        for line in file.lines
    ]
    return [lines, file.diagnostics, file.family, file.bare, file.crlf]


def assert_ways_agree(text: str, family: Family | None = None) -> None:
    source = SourceFile("x", text)
    fast, plain = parse(source, family), parse(source, family, fast=False)
    for quick, slow in zip(told(fast), told(plain), strict=True):
        assert quick == slow


def corpus_files() -> list[Path]:
    kinds = ("iptables", "ip6tables", "iptables-S")
    return sorted(path for kind in kinds for path in (CORPUS / kind).glob("*/*"))


def text_of(path: Path) -> str:
    return path.read_bytes().decode("utf-8", "surrogateescape")


def test_no_text_is_too_odd() -> None:
    dice = random.Random(9)
    alphabet = "\0\t\r\v\x1c\x85\u2028\udcff -!\"\\'#*:[]=,aA0j\n"
    for _ in range(3_000):
        text = "".join(dice.choices(alphabet, k=dice.randrange(60)))
        assert_ways_agree(text)
        assert_ways_agree("*filter\n" + text)


@needs_corpus
def test_ways_agree_on_the_corpus(part: Part) -> None:
    seen = set()
    for path in part.of(corpus_files(), 400):
        text = text_of(path)
        if text not in seen:
            assert_ways_agree(text)
        seen.add(text)


PIECES = (
    *("-A INPUT", "-I FOO 1", "-D FOO", "-N", "-P INPUT DROP", "-p tcp", "-p", "udp", "-p 6", "!"),
    *("-m tcp", "-m", "tcp", "-m comment", "-m foo", "-m state", "-m limit", "-m set", "-j", "-g"),
    *("-j ACCEPT", "-j LOG", "-j FOO", "-j BAR", "DROP", "-j REJECT", "--jump=DROP", "-jDROP"),
    *("--dport 22", "--dport=22", "--dp", "22", "--sport", "--syn", "--tcp-flags SYN,ACK SYN"),
    *("--comment", '"a b"', '"-m"', '"!"', '"--dport"', '"--x y=z"', "--bar", "--bar=1", "--log-p"),
    *("--state NEW", "--limit 1/s", "--match-set a src", "--match-set a", "-s 1.2.3.4", "-s1.2"),
    *("-fs", "-f", "-fj", "-fp", "-i eth0", "-c 1 2", "-c 1,2", "-c", "--", "-", "--=", "--m"),
    *('"', '\\"', "\\", '""', 'x"y z"w', "\t", "[1:2]", "'a", "-!", "!x", "-z", "-v", "-t nat", ""),
    *("--pro", "--protocol=tcp", "--proto", "--match=tcp", "-mtcp", "-ptcp", "-p TCP", "--goto A"),
    *("-N-a", "-NA", "--new-chain=!a", "-R FOO 0x1", "-E A B", "-L", "-Z", "--p", "-4", "-h"),
)  # fmt: skip


@pytest.mark.parametrize("seed", range(4))
def test_ways_agree_on_random_lines(seed: int) -> None:
    dice = random.Random(seed)

    def line() -> str:
        starts = ("-A INPUT ", "", "[1:2] ", " ", ":FOO ", "*", "#", "-A FOO -p tcp ")
        glue = dice.choice((" ", " ", "  ", ""))
        return dice.choice(starts) + glue.join(dice.choices(PIECES, k=dice.randrange(7)))

    lines = [line() for _ in range(2_000)]
    assert_ways_agree(in_table(*lines), Family.IP)
    assert_ways_agree("\n".join(lines).replace("*", ""), Family.IP6)


@pytest.mark.parametrize("seed", range(4))
def test_ways_agree_on_where_tables_begin_and_end(seed: int) -> None:
    dice = random.Random(seed)
    structure = (
        *("*filter", "*nat", "* nat", "*", "**", "*nat x", "*a\tb", "COMMIT", " COMMIT", "COMMIT "),
        *("[1:2]COMMIT", '"COMMIT"', "COMMIT\r", ":INPUT ACCEPT", ":FOO - [1:2]", ": FOO -", ":"),
        *("-A INPUT -j DROP", "[1:2] -A FOO -j DROP", "[1:2]", "# a", " # a", " ", "", '-A "'),
    )
    for _ in range(1_000):
        assert_ways_agree("\n".join(dice.choices(structure, k=dice.randrange(9))))


def test_ways_agree_on_every_value() -> None:
    """Each shape with other values in every place, met first by one and then the other."""
    values = ("22", "", "tcp", "DROP", "x y", "-j", "-x", "!", "!a", "--dport", "--dport=2", "FOO")
    forms = (
        *("-A {} -j DROP", "-A FOO -p {} --dport {} -j {}", "-A FOO -m {} --bar {}", "-I FOO {}"),
        *("-A FOO -m comment --comment {} -j {} --log-prefix {}", "-A FOO --jump={} -p={}"),
    )
    dice = random.Random(7)
    lines = []
    for _ in range(3_000):
        form = dice.choice(forms)
        quoted = (f'"{dice.choice(values)}"' for _ in range(3))
        lines.append(form.format(*quoted))
    assert_ways_agree(in_table(*lines), Family.IP)


OUTLINED = (
    *("-A INPUT -s 192.0.2.7/32 -j DROP", "-A X-1 -p 6 --dport 22 -j Y-2", "-A f2b -j f2b-sshd"),
    '-A K-SVC-A7 -m comment --comment "ns/a:1 -> b" -m statistic --mode nth -j K-SEP-B2',
    *('-A INPUT -m "tcp" -p tcp', '-A INPUT -j "DROP"', '-A x"a b" "c d" -j A-B', '-A "a "b" c" x'),
    *("-A INPUT -s 2001:db8::1/128 -d ::ffff:0:0/96 -j DROP", "-A INPUT -d fe80:: -j DROP"),
    *('[12:34] -A INPUT -p udp -m udp --dport 53 -j RETURN', "-A INPUT -m u32 --u32 1=2 -j X"),
    *('-A INPUT -m comment --comment "a -j X-Y b" -j X-Y', '-A INPUT -m "\\" -j X-Y b" -j A-B'),
    *("-A -A FOO -j BAR", "-A INPUT -j -A FOO", "-A INPUT -p 17 -j REDIRECT --to-ports 1-2"),
)  # fmt: skip


@pytest.mark.parametrize("seed", range(4))
def test_ways_agree_on_lines_that_are_nearly_alike(seed: int) -> None:
    """What an outline leaves out of a line is changed, and now and then what it keeps."""
    dice = random.Random(seed)

    def mutant() -> str:
        line = list(dice.choice(OUTLINED))
        for _ in range(dice.randrange(3)):
            at = dice.randrange(len(line))
            line[at] = dice.choice((*'0123456789 -!":\\abT', line[at] * 2, ""))
        return re.sub(r"\d", lambda _: dice.choice("0123456789"), "".join(line))

    lines = [mutant() for _ in range(2_000)]
    for family in (Family.IP, Family.IP6):
        assert_ways_agree(in_table(*lines, *lines), family)


# -- the corpus ---------------------------------------------------------------


@needs_corpus
@pytest.mark.parametrize("kind", ["iptables", "ip6tables", "iptables-S"])
def test_valid_files_have_no_problem(kind: str) -> None:
    family = Family.IP6 if kind == "ip6tables" else Family.IP
    for path in sorted((CORPUS / kind / "valid").iterdir()):
        file = parse(SourceFile(str(path), text_of(path)), family)
        assert file.diagnostics == (), path.name
        assert file.bare == (kind == "iptables-S"), path.name


# The line that iptables-restore 1.8.9 names. The last file has no table line: it was given
# `*filter` before it, and the tool named line 10.
REFUSED_AT = {
    "diekmann__net-network_configs_ugent__iptables-save": 71,
    "diekmann__net-network_configs_ugent__iptables-save.v1.4.21": 71,
    "diekmann__net-network_found_online__linux.gda.pl__firewallp.txt": 6,
    "fwbuilder__fwbuilder_src__unit_tests__ImporterTest__test_data__ipt.test": 159,
    "istio__istio_tools__istio-iptables__pkg__builder__testdata__multi-rules-new-chain-v4-restore"
    ".golden": 2,
    "aerleon__aerleon_tests__regression__iptables__AclCheckTest.testVerbatimTerm.stdout.ref": 9,
}
REFUSED_PATHS = [path for path in corpus_files() if path.parent.name == "refused-syntax"]


@needs_corpus
def test_every_refused_file_is_known() -> None:
    assert {path.name for path in REFUSED_PATHS} == set(REFUSED_AT)


@pytest.mark.parametrize(
    "path",
    [pytest.param(path, id=path.name[-30:]) for path in REFUSED_PATHS],
)
def test_refused_file_has_a_problem_at_the_line(path: Path) -> None:
    file = parse(SourceFile(path.name, text_of(path)))
    assert file.source.line_of(file.diagnostics[0].start) == REFUSED_AT[path.name]


@needs_corpus
def test_rules_the_tool_takes_have_no_problem() -> None:
    with (CORPUS / "iptables-rules.tsv").open() as table:
        rows = list(csv.DictReader(table, delimiter="\t", quoting=csv.QUOTE_NONE))
    families = {"iptables": Family.IP, "ip6tables": Family.IP6}
    taken = [row for row in rows if row["tool"] in families and row["nft_accepts_in"]]
    assert len(taken) > 1000
    for row in taken:
        chain = row["chains"].split(",")[0]
        text = f"*{row['table']}\n-A {chain} {row['rule']}\nCOMMIT\n"
        assert read(text, families[row["tool"]]).diagnostics == (), row["rule"]


# -- families -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "family"),
    [
        ("/etc/iptables/rules.v4", Family.IP),
        ("/etc/iptables/rules.v6", Family.IP6),
        ("/etc/sysconfig/ip6tables", Family.IP6),
        ("/etc/sysconfig/iptables", Family.IP),
        ("/etc/iptables/iptables.rules", Family.IP),
        ("/etc/iptables/other.rules", None),
        ("/etc/ip6tables/base.rules", Family.IP6),
        ("/etc/ufw/before6.rules", Family.IP6),
        ("-", None),
    ],
)
def test_family_of_path(path: str, family: Family | None) -> None:
    assert family_of_path(path) is family


def families_in(text: str, path: str = "-", stated: Family | None = None) -> list[Family]:
    file = parse(SourceFile(path, text), stated)
    return [line.family for line in file.lines if isinstance(line, TableLine)]


def test_family_table_by_table() -> None:
    dump = (
        "# Generated by iptables-save v1.8.9 on Mon\n*filter\nCOMMIT\n"
        "# Generated by ip6tables-save v1.8.9 (nf_tables) on Mon\n*filter\nCOMMIT\n*raw\nCOMMIT\n"
    )
    assert families_in(dump) == [Family.IP, Family.IP6, Family.IP6]
    assert families_in(dump, stated=Family.IP) == [Family.IP] * 3
    assert families_in(dump, "rules.v4") == [Family.IP, Family.IP6, Family.IP6]
    plain = "*filter\n-A INPUT -s {} -j DROP\nCOMMIT\n"
    assert families_in(plain.format("2001:db8::/32")) == [Family.IP6]
    assert families_in(plain.format("2001:db8::/32"), "rules.v4") == [Family.IP]
    assert families_in(plain.format("192.0.2.1")) == [Family.IP]
    nat = "*nat\n-A OUTPUT -j DNAT --to-destination {}\nCOMMIT\n"
    assert families_in(nat.format("[2001:db8::1]:80")) == [Family.IP6]
    assert families_in(nat.format("192.0.2.1:80-90")) == [Family.IP]
    assert families_in("*filter\n-A INPUT -p ipv6-icmp -j ACCEPT\nCOMMIT\n") == [Family.IP6]


@pytest.mark.parametrize(
    ("path", "family"),
    [("rules.v4", Family.IP), ("rules.v6", Family.IP6), ("rules", Family.IP6)],
)
def test_what_loads_a_file_says_of_which_family_it_is(path: str, family: Family) -> None:
    """The trap: `ip6tables-save > rules.v4`, which iptables-restore takes all the same."""
    text = "# Generated by ip6tables-save v1.8.9\n*nat\n-A POSTROUTING -j MASQUERADE\nCOMMIT\n"
    assert families_in(text, path) == [family]
