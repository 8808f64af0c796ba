from __future__ import annotations

import random
from pathlib import Path

import pytest

from iptlint.dialects.ipset.lower import lower
from iptlint.dialects.ipset.parser import parse
from iptlint.dialects.ipset.tree import Command
from iptlint.source import SourceFile
from tests.costs import at_most

FIXTURES = sorted((Path(__file__).parent / "fixtures").iterdir())


def tree(source: SourceFile, *, fast: bool = True) -> tuple[object, object]:
    file = parse(source, fast=fast)
    return file.lines, file.diagnostics


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.name)
def test_a_saved_file_is_read_whole(path: Path) -> None:
    source = SourceFile(path.name, path.read_text())
    sets, diagnostics = lower([parse(source)])
    assert diagnostics == ()
    assert all(each.exact for each in sets.contents.values())
    assert tree(source) == tree(source, fast=False)


@pytest.mark.parametrize("seed", range(100))
def test_the_fast_way_reads_what_the_grammar_reads(seed: int) -> None:
    draw = random.Random(seed)
    text = draw.choice(FIXTURES).read_text()
    pieces = [
        '"',
        " ",
        "\t",
        "#",
        "\r",
        "\n",
        "-",
        "--",
        "-!",
        "-exist",
        "COMMIT",
        "\x0b",
        "\u00a0",
    ]
    for _ in range(draw.randrange(1, 25)):
        at = draw.randrange(len(text))
        text = text[:at] + draw.choice(pieces) + text[at + draw.randrange(3) :]
    source = SourceFile("ipsets", text)
    assert tree(source) == tree(source, fast=False)


@pytest.mark.parametrize(
    ("line", "command", "words"),
    [
        ("add a 1.2.3.4", Command.ADD, ("add", "a", "1.2.3.4")),
        ("  a\ta   1.2.3.4 \r", Command.ADD, ("a", "a", "1.2.3.4")),
        ("--add a 1.2.3.4", Command.ADD, ("--add", "a", "1.2.3.4")),
        ("d a 1.2.3.4", Command.DEL, ("d", "a", "1.2.3.4")),
        ("n a iphash", Command.CREATE, ("n", "a", "iphash")),
        ("x a", Command.DESTROY, ("x", "a")),
        ("-F", Command.FLUSH, ("-F",)),
        ("w a b", Command.SWAP, ("w", "a", "b")),
        ('add a 1.2.3.4 comment "x y"', Command.ADD, ("add", "a", "1.2.3.4", "comment", "x y")),
        ('add a b"c d"e', Command.ADD, ("add", "a", "bc de")),
        ("add -q a 1.2.3.4 -o save", Command.ADD, ("add", "a", "1.2.3.4")),
    ],
)
def test_words_of_a_command(line: str, command: Command, words: tuple[str, ...]) -> None:
    for fast in (True, False):
        (found,) = parse(SourceFile("ipsets", line), fast=fast).lines
        assert (found.command, found.words) == (command, words)


@pytest.mark.parametrize("line", ["", "   ", "# a", ' \t#"', "COMMIT", "  COMMIT"])
def test_lines_that_say_nothing(line: str) -> None:
    assert tree(SourceFile("ipsets", line + "\n" + line)) == ((), ())


def test_exist_may_stand_anywhere() -> None:
    for line in ("-exist add a 1", "add -! a 1", "add a 1 -exist", "add --exist a 1"):
        (found,) = parse(SourceFile("ipsets", line)).lines
        assert found.exist


def test_an_empty_word_is_no_word() -> None:
    source = SourceFile("ipsets", 'create a hash:ip comment\nadd a 1.2.3.4 comment ""')
    (diagnostic,) = lower([parse(source)])[1]
    assert "a value after comment" in diagnostic.message


@pytest.mark.parametrize(
    ("line", "place", "told"),
    [
        ("fulsh a", "fulsh", "did you mean flush?"),
        ("  list a", "list", "expected a command such as `create`, `add` or `flush`"),
        ("add a", "add a", "expected `add NAME ENTRY …`"),
        ("swap a b c", "swap a b c", "expected `swap FROM TO`"),
        ('add a "1.2', '"1.2', 'expected `"` before the end of the line'),
        ("create a hash:up", "hash:up", "did you mean hash:ip?"),
        ("create a hash:ip hashsze 3", "hashsze", "did you mean hashsize?"),
        ("create a hash:ip hashsize", "create a hash:ip hashsize", "a value after hashsize"),
        ("create a hash:ip maxelem 1e3", "1e3", "a number from 0 to 4294967295"),
        ("create a hash:net netmask 3", "netmask", "no option of hash:net sets"),
        ("create a bitmap:ip", "create a bitmap:ip", "a range"),
        ("create a bitmap:port range 9-99999", "9-99999", "a port from 0 to 65535"),
        ("create h hash:ip\nadd h 1.2.3.4/33", "1.2.3.4/33", "a prefix length from 0 to 32"),
        ("create h hash:ip\nadd h 1.2.3.4,80", "1.2.3.4,80", "an IPv4 address"),
        ("create h hash:ip,port\nadd h 1.2.3.4", "1.2.3.4", "an entry of the form ip,port"),
        ("create h hash:ip,port\nadd h 1.2.3.4,99999", "1.2.3.4,99999", "a port from 0 to 65535"),
        ("create h hash:ip,port\nadd h 1.2.3.4,gre:5", "1.2.3.4,gre:5", "gre:0"),
        ("create h hash:ip nomatch", "nomatch", "no option of hash:ip sets"),
        ("create h hash:ip\nadd h 1.2.3.4 nomatch", "nomatch", "no option of hash:ip sets"),
        ("create h hash:ip family inet6\nadd h 2001:db8::/64", "2001:db8::/64", "no networks"),
    ],
)
def test_a_mistake_is_placed_where_it_is(line: str, place: str, told: str) -> None:
    source = SourceFile("ipsets", f"create z hash:ip\n{line}\nadd z 192.0.2.1\n")
    sets, (diagnostic,) = lower([parse(source)])
    assert (diagnostic.code, diagnostic.severity) == ("IPT001", "error")
    assert source.text[diagnostic.start : diagnostic.end] == place
    assert told in diagnostic.message + diagnostic.help
    assert len(sets.contents["z"].entries) == 1, "the rest is still read"


@pytest.mark.parametrize(
    ("lines", "place"),
    [
        ("create h hash:ip\nadd h 1.2.3.4 timeout 5", "timeout"),
        ("create h hash:ip\nadd h 1.2.3.4 comment x", "comment"),
        ("create h hash:ip\nadd h 1.2.3.4 packets 5", "packets"),
        ("create h hash:ip\nadd h 0.0.0.0", "0.0.0.0"),
        ("create h hash:net\nadd h 0.0.0.0/0", "0.0.0.0/0"),
        ("create h bitmap:ip range 10.0.0.0/24\nadd h 10.0.1.1", "10.0.1.1"),
        ("create h bitmap:ip range 10.0.0.0/8", "10.0.0.0/8"),
        ("create h bitmap:port range 0-10\nadd h 11", "11"),
        ("create h hash:ip,port\nadd h 1.2.3.4,0:0", "1.2.3.4,0:0"),
        ("create h list:set\ncreate i list:set\nadd h i", "i"),
        (
            "create h hash:net,iface\nadd h 10.0.0.0/8,eth0123456789012",
            "10.0.0.0/8,eth0123456789012",
        ),
    ],
)
def test_what_the_kernel_refuses_is_told_too(lines: str, place: str) -> None:
    source = SourceFile("ipsets", lines)
    (diagnostic,) = lower([parse(source)])[1]
    assert diagnostic.code == "IPT006"
    assert source.text[diagnostic.start : diagnostic.end] == place


def test_a_hundred_thousand_lines_are_quick() -> None:
    addresses = (f"10.{n >> 16}.{n >> 8 & 255}.{n & 255}" for n in range(100_000))
    text = "create a hash:ip\n" + "".join(f"add a {address}\n" for address in addresses)
    with at_most(5):
        sets, _ = lower([parse(SourceFile("ipsets", text))])
    assert len(sets.contents["a"].entries) == 100_000
