"""nft text to tree: what is read, where it stands, and what is said of what is not."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from iptlint.dialects.files import LocalFiles, NoFiles
from iptlint.dialects.nft import tree as t
from iptlint.dialects.nft.parser import parse
from iptlint.source import SourceFile, Span
from tests.costs import alone, at_most, peak, steps


def symbol(text: str) -> t.Value:
    return t.Value(text, t.Kind.SYMBOL)


def number(text: str) -> t.Value:
    return t.Value(text, t.Kind.NUMBER)


def statements(text: str) -> tuple[Any, ...]:
    """Those of one rule."""
    found = parse(SourceFile("-", f"table t {{\n chain c {{\n  {text}\n }}\n}}\n"))
    assert found.diagnostics == ()
    (table,) = found.items
    assert isinstance(table, t.Command)
    assert table.body is not None
    (chain,) = table.body
    assert isinstance(chain, t.Command)
    assert chain.body is not None
    (rule,) = chain.body
    assert isinstance(rule, t.Rule)
    return rule.statements


def complaints(text: str) -> list[tuple[str, str, str | None]]:
    """Code, the text complained of, and the hint."""
    source = SourceFile("-", text)
    found = parse(source, NoFiles())
    return [(p.code, Span(p.source, p.start, p.end).text, p.hint) for p in found.diagnostics]


TCP_DPORT = t.Payload("tcp", "dport")
STATE = t.Ct("state")

RULES = {
    "tcp dport 22 accept": (t.Match(TCP_DPORT, None, number("22")), t.Verdict("accept")),
    "tcp dport != 1-1023 jump x": (
        t.Match(TCP_DPORT, "!=", t.Range(number("1"), number("1023"))),
        t.Verdict("jump", symbol("x")),
    ),
    "ct state established,related accept": (
        t.Match(STATE, None, t.Listing((symbol("established"), symbol("related")))),
        t.Verdict("accept"),
    ),
    "ip saddr . tcp dport @s": (
        t.Match(t.Concat((t.Payload("ip", "saddr"), TCP_DPORT)), None, t.SetReference(symbol("s"))),
    ),
    "meta mark set meta mark and 0xff or 1": (
        t.Mangle(
            t.Meta("mark"),
            t.Bitwise(t.Bitwise(t.Meta("mark"), "&", number("0xff")), "|", number("1")),
        ),
    ),
    "tcp flags syn / fin,syn": (
        t.MaskMatch(
            t.Payload("tcp", "flags"),
            None,
            symbol("syn"),
            t.Listing((symbol("fin"), symbol("syn"))),
        ),
    ),
    "dnat ip to 10.0.0.1:80 random,persistent": (
        t.Nat(
            "dnat",
            "ip",
            None,
            t.Value("10.0.0.1", t.Kind.ADDRESS),
            number("80"),
            ("random", "persistent"),
        ),
    ),
    "limit rate over 10 mbytes/second burst 5 kbytes drop": (
        t.Limit("over", number("10"), "mbytes", "second", number("5"), "kbytes"),
        t.Verdict("drop"),
    ),
    'log prefix "a { b" flags tcp sequence,options': (
        t.Log(prefix=t.Value("a { b", t.Kind.STRING), flags=("tcp sequence", "tcp options")),
    ),
    "@th,16,16 53": (t.Match(t.RawPayload("th", 16, 16), None, number("53")),),
    "fib saddr . iif oif missing": (
        t.Match(t.Fib(("saddr", "iif"), "oif"), None, symbol("missing")),
    ),
    "xt match recent": (t.Foreign("match", "recent"),),
    "vxlan ip saddr 1.2.3.4": (
        t.Match(t.Payload("ip", "saddr", "vxlan"), None, t.Value("1.2.3.4", t.Kind.ADDRESS)),
    ),
    "add @s { ip saddr timeout 1m }": (
        t.SetUpdate(
            "add",
            t.Element(t.Payload("ip", "saddr"), (t.Timing("timeout", t.Value("1m", t.Kind.TIME)),)),
            t.SetReference(symbol("s")),
        ),
    ),
    "jump { accept; drop; }": (
        t.JumpBlock("jump", (t.Rule((t.Verdict("accept"),)), t.Rule((t.Verdict("drop"),)))),
    ),
    "tcp dport $ports accept": (
        t.Match(TCP_DPORT, None, t.Variable("ports")),
        t.Verdict("accept"),
    ),
}


@pytest.mark.parametrize("text", RULES)
def test_rule(text: str) -> None:
    assert statements(text) == RULES[text]


@pytest.mark.parametrize(
    "rule",
    [
        "ip saddr @last accept",
        "jump service-X-ns/svc/tcp/",
        "goto helper",
        'iifname "eth*" ct status dnat accept',
        "meta l4proto tcp tcp dport 22",
        "ip protocol icmp icmp type echo-request",
        "ct timeout set x",
        "tcp dport \\\n 22 accept",
    ],
)
def test_words_mean_what_their_place_makes_of_them(rule: str) -> None:
    assert statements(rule)


def test_places_are_those_of_the_text() -> None:
    source = SourceFile("-", 'table ip t {\n\tchain c {\n\t\tip saddr 1.2.3.0/24 jump "x"\n')
    good = SourceFile("-", "table ip t {\n\tchain c {\n\t\tip saddr 1.2.3.0/24 jump x\n\t}\n}\n")
    assert parse(source).diagnostics
    (table,) = parse(good).items
    chain = table.body[0]  # type: ignore[union-attr,index]
    match, verdict = chain.body[0].statements  # type: ignore[union-attr,index]
    nodes = [table, chain, match, match.left, match.right, match.right.length, verdict]
    assert [Span(good, node.start, node.end).text for node in nodes[2:]] == [
        "ip saddr 1.2.3.0/24",
        "ip saddr",
        "1.2.3.0/24",
        "24",
        "jump x",
    ]
    assert Span(good, table.start, table.end).text == good.text.strip()


COMPLAINTS = {
    "tcp dprot 22": ("IPT001", "dprot", "Did you mean `tcp dport`?"),
    "tcp dport 22 acept": ("IPT001", "acept", "Did you mean `accept`?"),
    "tcp dport 22 \\ accept": (
        *("IPT001", "\\"),
        "A `\\` joins a line with the next and is the last character of it: delete this one.",
    ),
    "accept \\\nrule": (
        *("IPT001", "rule"),
        "The line before ends with `\\`, so that this one goes on with it: delete the `\\`.",
    ),
    'log prefix "x': ("IPT001", '"x', None),
    "meta mark set " + "(" * 99 + "1" + ")" * 99: ("IPT010", "(", None),
    "meta mark set " + "jhash " * 500 + "ip saddr" + " mod 2" * 500: ("IPT010", None, None),
    "ip saddr" + " . ip saddr" * 9000 + " @x" + " | 1" * 9000: ("IPT001", "|", None),
    "meta mark set 1" + " | 1" * 9000: ("IPT010", None, None),
    "jump {" * 99 + "\n" + "};" * 99: ("IPT010", "{", None),
}


@pytest.mark.parametrize("rule", COMPLAINTS, ids=range(len(COMPLAINTS)))
def test_complaint(rule: str) -> None:
    ((code, text, hint),) = complaints(f"table t {{\nchain c {{\n{rule}\naccept\n}}\n}}\n")
    expected = COMPLAINTS[rule]
    assert (code, hint) == (expected[0], expected[2])
    assert expected[1] in (None, text)


def test_a_burst_without_its_unit_is_told_as_that() -> None:
    """nft 1.0.6: "unexpected accept, expecting packets"."""
    rule = "limit rate 100/second burst 200 accept"
    (told,) = parse(SourceFile("-", f"table t {{\nchain c {{\n{rule}\n}}\n}}\n")).diagnostics
    assert (told.message, told.expected) == (
        "The burst lacks its unit: `accept` is none",
        "packets",
    )


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("tabel ip t {\n}\n", ["tabel"]),
        ("add ruel t c accept\n", ["ruel"]),
        ("table t { chain c { accept }\n}\n", ["}"]),
        ("table t {\n set s {\n  elements = { 1,\n }\n set q {\n  type mark\n }\n}\n", ["{"]),
        ("add table counter\n", ["counter"]),
        ("}\nadd table t\n", ["}"]),
        ("add table t\r\nadd table u\r\n", ["\r"]),
        ('include "nowhere.nft"\n', ['"nowhere.nft"']),
        ("delete rule t c\n", ["delete rule t c"]),
        ("table t {\n chain c {\n  foo bar\n  accept\n  1 2\n }\n}\n", ["foo", "1"]),
    ],
)
def test_one_problem_for_one_mistake(text: str, wrong: list[str]) -> None:
    assert [found for _, found, _ in complaints(text)] == wrong


def test_what_follows_a_mistake_is_read() -> None:
    found = parse(SourceFile("-", "table t {\n chain c {\n  acept\n  drop\n }\n}\nadd table u\n"))
    table, other = found.items
    assert isinstance(table, t.Command)
    chain = table.body[0]  # type: ignore[index]
    assert chain.body == (t.Rule((t.Verdict("drop"),)),)  # type: ignore[union-attr]
    assert other == t.Command("add", "table", None, (symbol("u"),))


# -- includes ---------------------------------------------------------------------


def test_includes_are_read_where_they_stand(tmp_path: Path) -> None:
    (tmp_path / "main.nft").write_text('table t {\n chain c {\n  include "rules/*.nft"\n }\n}\n')
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "b.nft").write_text("drop\n")
    (tmp_path / "rules" / "a.nft").write_text("accept\n")
    main = SourceFile(str(tmp_path / "main.nft"), (tmp_path / "main.nft").read_text())
    found = parse(main)
    assert found.diagnostics == ()
    include = found.items[0].body[0].body[0]  # type: ignore[union-attr,index]
    assert isinstance(include, t.Include)
    names = [Path(file.source.path).name for file in include.files]
    assert names == ["a.nft", "b.nft"]
    assert include.files[0].items == (t.Rule((t.Verdict("accept"),)),)


def test_an_include_directory_is_searched(tmp_path: Path) -> None:
    (tmp_path / "x.nft").write_text("add table t\n")
    found = parse(SourceFile("-", 'include "x.nft"\n'), LocalFiles((str(tmp_path),)))
    assert found.diagnostics == ()
    include = found.items[0]
    assert isinstance(include, t.Include)
    assert [file.source.path for file in include.files] == [str(tmp_path / "x.nft")]


def test_what_an_included_file_holds_is_shown_only_if_it_is_nft(tmp_path: Path) -> None:
    """Anybody can include any file; its words must not come out with what is wrong in it."""
    (tmp_path / "x.nft").write_text("add table t\nroot:s3cret:0\n")
    main = SourceFile(str(tmp_path / "main.nft"), 'add table u\ninclude "x.nft"\n')
    (diagnostic,) = parse(main).diagnostics
    assert (diagnostic.source, main.line_of(diagnostic.start)) == (main, 2)
    assert f"{tmp_path / 'x.nft'} is no nft at line 2" in diagnostic.message
    assert "s3cret" not in repr(diagnostic)


@pytest.mark.parametrize("name", ["/dev/zero", "/proc/self/environ", "/dev/stdin", "/etc", "pipe"])
def test_only_regular_files_are_included(tmp_path: Path, name: str) -> None:
    os.mkfifo(tmp_path / "pipe")
    main = SourceFile(str(tmp_path / "main.nft"), f'include "{name}"\n')
    (diagnostic,) = parse(main).diagnostics
    assert diagnostic.message == f"There is no file {name}"


def test_nothing_is_included_where_nobody_wants_it(tmp_path: Path) -> None:
    (tmp_path / "x.nft").write_text("add table t\n")
    main = SourceFile(str(tmp_path / "main.nft"), 'include "x.nft"\n')
    (diagnostic,) = parse(main, NoFiles()).diagnostics
    assert (diagnostic.code, diagnostic.hides_text) == ("IPT002", True)


def test_files_that_include_each_other_are_a_problem(tmp_path: Path) -> None:
    for name, other in (("a", "b"), ("b", "a")):
        (tmp_path / name).write_text(f'include "{other}"\n')
    found = parse(SourceFile(str(tmp_path / "a"), (tmp_path / "a").read_text()))
    ((code, path),) = [(p.code, p.source.path) for p in found.diagnostics]
    assert (code, path) == ("IPT001", str(tmp_path / "b"))


# -- many -------------------------------------------------------------------------


def test_a_million_elements() -> None:
    """At most 15 s and 1 GB are promised."""
    alone(a_million_elements)


def a_million_elements() -> None:
    kinds = ("10.{}.{}.1", "10.{}.{}.0/24", "10.{0}.{1}.1-10.{0}.{1}.9", "{}{}")
    texts = (kinds[i % 4].format(i % 250 + 1, i // 4000) for i in range(1_000_000))
    text = "add element t s { " + ",\n".join(texts) + " }\n"
    with at_most(15):
        found = parse(SourceFile("-", text))
    assert peak() < 1_000_000
    assert found.diagnostics == ()
    elements = found.items[0].body[0].elements  # type: ignore[union-attr,index]
    assert len(elements) == 1_000_000
    assert elements[1] == t.Prefix(t.Value("10.2.0.0", t.Kind.ADDRESS), number("24"))
    assert sum(1 for _ in elements) == 1_000_000


@pytest.mark.parametrize(
    "element",
    [
        "10.0.0.{0} timeout 1h{0}m expires {0}ms",
        '10.0.{0}.1 counter packets {0} bytes 1 comment "a, }} {0}"',
        "10.0.0.{0} . {0} : jump chain-{0}",
        "{0}-{0}1 : 0x{0}",
        "# a comment, and\n 10.0.0.{0}",
        "2001:db8::{0}",
    ],
)
def test_long_sets_are_read_as_the_grammar_reads_them(element: str) -> None:
    inside = ", ".join(element.format(i) for i in range(1, 60))
    source = SourceFile("-", f"add element t s {{ {inside} }}\n")
    fast, plain = parse(source), parse(source, fast=False)
    assert fast.diagnostics == ()
    assert fast.items == plain.items
    assert len(plain.items[0].body[0].elements) == 59  # type: ignore[union-attr,index]


@pytest.mark.parametrize("behind", [", # the last\n", ",\n# two\n  # remarks\n", ", ", "# none\n"])
def test_a_remark_may_stand_behind_the_last_comma_of_a_long_set(behind: str) -> None:
    """nft 1.0.6 takes each (`nft -c`): a comma may end a list, and a remark is nothing."""
    inside = ", # a network\n".join(f"10.{number}.0.0/16" for number in range(40))
    source = SourceFile("-", f"add element t s {{ {inside}{behind}}}\n")
    fast, plain = parse(source), parse(source, fast=False)
    assert fast.diagnostics == plain.diagnostics == ()
    assert fast.items == plain.items


@pytest.mark.parametrize(
    "command",
    [
        "add element ip t s {{ 10.0.0.{0} }}",
        "add element inet t s {{ 10.0.0.{0}, 2001:db8::{0} timeout {0}s }}",
        "delete element t s {{ {0}-{0}1 }}",
        "add rule ip t c ip saddr 10.0.0.{0} tcp dport {{ {0}, 443 }} drop",
        'insert rule t c position {0} iifname "eth{0}" jump chain-{0}',
        "add rule t c ip saddr 10.0.0.{0} drop ; add rule t c tcp dport {0} accept",
        "add rule t c ip saddr 10.0.0.{0} drop # {0}",
        "add element t s {{ 10.0.0.{0},\n10.0.1.{0} }}",
        "add rule t c ip saddr 10.0.0.{0} drop \\\n  comment x",
        "add rule t c tcp dport {0} drop }}",
    ],
)
def test_commands_of_one_kind_are_read_as_the_grammar_reads_them(command: str) -> None:
    source = SourceFile("-", "".join(command.format(n) + "\n" for n in range(1, 9)))
    fast, plain = parse(source), parse(source, fast=False)
    assert fast.items == plain.items
    assert fast.diagnostics == plain.diagnostics


@pytest.mark.parametrize(
    "command", ["add element t s {{ 10.0.0.{0} }}", "add rule t c tcp dport {0} drop"]
)
def test_of_commands_of_one_kind_the_grammar_reads_one(command: str) -> None:
    def reading(count: int) -> int:
        source = SourceFile("-", "".join(command.format(n) + "\n" for n in range(count)))
        return steps(lambda: parse(source))

    reading(2)
    assert reading(40) - reading(20) < 20 * reading(1) / 4


def test_of_a_copy_of_a_host_the_files_of_the_copy_are_included(tmp_path: Path) -> None:
    """A checkout that has the host's `etc`: an absolute name is one of the host's."""
    (tmp_path / "etc/nft.d").mkdir(parents=True)
    (tmp_path / "etc/nft.d/x.nft").write_text("add table t\n")
    for name in ("/etc/nft.d/x.nft", "/etc/nft.d/*.nft"):
        main = SourceFile(str(tmp_path / "etc/nftables.conf"), f'include "{name}"\n')
        (include,) = parse(main).items
        assert isinstance(include, t.Include)
        assert [file.source.path for file in include.files] == [str(tmp_path / "etc/nft.d/x.nft")]


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("rules/nftables.conf", "IPT002"),
        ("/srv/checkout/nftables.conf", "IPT002"),
        ("/etc/nftables.conf", "IPT001"),
    ],
)
def test_a_file_of_another_place_may_be_on_another_machine(path: str, code: str) -> None:
    (diagnostic,) = parse(SourceFile(path, 'include "/etc/nowhere/x.nft"\n')).diagnostics
    assert (diagnostic.code, diagnostic.hides_text) == (code, True)
