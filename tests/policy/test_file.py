from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from iptlint.model import Family, Hook
from iptlint.policy.file import read_tests
from iptlint.policy.services import service
from iptlint.policy.tests import PolicyError, Verb
from iptlint.policy.toml_places import places
from iptlint.policy.zones import ZoneKind
from iptlint.source import SourceFile

WHOLE = """\
ways = ["input", "forward"]
tests = [
  "deny from internet to 5432",
  "allow from office, 10.0.0.0/8 to host ssh and web",
  'only from bastion to 22 on input',
  "isolated dmz office",
  "same as rules.v6",
]

[zones]
office = ["203.0.113.0/24", "2001:db8:5::/48"]
bastion = "192.0.2.7"
dmz = { interfaces = ["eth2"], except = ["10.9.0.0/16"] }

[services]
web = [80, 443, "443/udp"]

[[test]]
that = "deny from dmz to any"
way = "forward"
families = ["ip6"]
allow-possible = true
hosts = ["db*"]
note = "the database is nobody's"
"""


def test_a_whole_file() -> None:
    policy = read_tests(WHOLE)
    assert [test.verb for test in policy.tests] == [
        *(Verb.DENY, Verb.ALLOW, Verb.ONLY, Verb.ISOLATED, Verb.SAME, Verb.DENY)
    ]
    deny, allow, only, isolated, same, last = policy.tests
    assert deny.source.kind is ZoneKind.INTERNET
    assert [part.text for part in deny.service.parts] == ["5432/tcp"]
    assert deny.target is None
    assert [zone.name for zone in allow.source.members] == ["office", "10.0.0.0/8"]
    assert allow.target is not None
    assert allow.target.is_host
    parts = [part.text for part in allow.service.parts]
    assert parts == ["22/tcp", "80/tcp", "443/tcp", "443/udp"]
    assert only.way is Hook.INPUT
    assert [zone.name for zone in isolated.zones] == ["dmz", "office"]
    assert same.other == "rules.v6"
    assert (last.way, last.families, last.allow_possible) == (Hook.FORWARD, (Family.IP6,), True)
    assert last.hosts == ("db*",)
    assert policy.ways == (Hook.INPUT, Hook.FORWARD)
    assert (deny.span.line, deny.span.column) == (3, 4)


@pytest.mark.parametrize(
    ("text", "place", "said"),
    [
        ('tests = ["deny form internet to 22"]', (1, 16), "'from' is expected here"),
        ('tests = ["dny from internet to 22"]', (1, 11), "did you mean deny?"),
        ('tests = ["deny from ofice to 22"]\n[zones]\noffice="10.0.0.0/8"', (1, 21), "office?"),
        ('tests = ["deny from internet to shh"]', (1, 33), "did you mean ssh?"),
        ('tests = ["deny from internet to 70000"]', (1, 33), "from 0 to 65535"),
        ('tests = ["deny from internet to 22/tpc"]', (1, 33), "there is no service"),
        ('tests = ["deny from internet to icmp/ecko"]', (1, 33), "no type of icmp"),
        ('tests = ["deny from 10.0.0.1/8 to 22"]', (1, 21), "did you mean 10.0.0.0/8?"),
        ('tests = ["deny from internet to 22 on inptu"]', (1, 39), "did you mean input?"),
        ('tests = ["deny from internet to"]', (1, 32), "the sentence ends where"),
        ('tests = ["isolated internet"]', (1, 11), "two zones or more"),
        ('tests = ["same"]', (1, 15), "the sentence ends"),
        ("tests = [3]", (1, 10), "a string in quotes"),
        ("tests = 3", (1, 9), "a list of strings"),
        ("tsts = []", (1, 1), "did you mean tests?"),
        ('[zones]\na = "10.0.0.1/8"', (2, 6), "did you mean 10.0.0.0/8?"),
        ("[zones]\na = []", (2, 5), "nobody is in the zone"),
        ('[zones]\nhost = "10.0.0.0/8"', (2, 1), "always means the same"),
        ('[zones]\na = { interface = ["eth0"] }', (2, 7), "did you mean interfaces?"),
        ('[zones]\na = { interfaces = ["a b"] }', (2, 22), "no name of an interface"),
        ('[zones]\na = { file = "list" }', (2, 15), "no other file"),
        ("[services]\nweb = 99999", (2, 7), "from 0 to 65535"),
        ("[services]\nweb = true", (2, 7), "a port or a string"),
        ("[services]\nweb = []", (2, 7), "is nothing"),
        ('[[test]]\nthta = "x"', (2, 1), "did you mean that?"),
        ("[[test]]\nnote = 'x'", (1, 1), "a test says what"),
        ('families = ["ipv4"]', (1, 14), "did you mean"),
        ("", (1, 1), "no test"),
        ("tests = [", (1, 1), "not TOML"),
    ],
)
def test_what_is_wrong_is_told_at_its_place(text: str, place: tuple[int, int], said: str) -> None:
    with pytest.raises(PolicyError) as error:
        read_tests(text)
    problem = next(p for p in error.value.problems if said in p.message)
    assert (problem.span.line, problem.span.column) == place


def test_a_name_is_a_zone_or_a_service() -> None:
    with pytest.raises(PolicyError, match="is a zone, too"):
        read_tests('tests = ["deny from x to x"]\n[zones]\nx = "10.0.0.0/8"\n[services]\nx = 22')


def test_a_list_of_networks_is_read_line_by_line(tmp_path: Path) -> None:
    text = 'tests = ["deny from cdn to 22"]\n[zones]\ncdn = { file = "cdn.txt" }'
    listed = SourceFile("cdn.txt", "# theirs\n203.0.113.0/24 # one\n\n2001:db8::/32\n")
    policy = read_tests(text, read_list=lambda path: listed)
    assert [str(n) for n in policy.zones["cdn"].networks] == ["203.0.113.0/24", "2001:db8::/32"]
    broken = SourceFile("cdn.txt", "203.0.113.0/24\n203.0.113.1/24\n")
    with pytest.raises(PolicyError, match=r"^cdn\.txt:2:1: .*did you mean 203\.0\.113\.0/24"):
        read_tests(text, read_list=lambda path: broken)


@pytest.mark.parametrize(
    ("word", "parts"),
    [
        ("ssh", ["22/tcp"]),
        ("53", ["53/tcp", "53/udp"]),
        ("ntp", ["123/udp"]),
        ("tcp/8000-8100", ["8000-8100/tcp"]),
        ("8000:8100", ["8000-8100/tcp"]),
        ("https/udp", ["443/udp"]),
        ("icmp/8", ["icmp/8"]),
        ("ping", ["icmp/echo-request"]),
        ("gre", ["gre"]),
        ("any", ["any"]),
    ],
)
def test_services(word: str, parts: list[str]) -> None:
    assert [part.text for part in service(word).parts] == parts


PLAIN = st.text("abcxyz", min_size=1, max_size=4)
VALUES = st.recursive(
    st.one_of(st.integers(0, 99), st.booleans(), PLAIN),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(PLAIN, inner, max_size=3)),
    max_leaves=6,
)


def written(value: Any) -> str:
    match value:
        case bool():
            return str(value).lower()
        case int():
            return str(value)
        case str():
            return f'"{value}"'
        case list():
            return "[ " + " , ".join(map(written, value)) + " ]  "
        case _:
            return "{" + ", ".join(f"{k} = {written(v)}" for k, v in value.items()) + "}"


@given(st.dictionaries(PLAIN, VALUES, max_size=4))
@settings(max_examples=150, deadline=None, derandomize=True)
def test_each_value_is_found_where_it_is_written(document: dict[str, Any]) -> None:
    text = "".join(f"{key} = {written(value)} # x\n" for key, value in document.items())
    found = places(SourceFile("t.toml", text))

    def check(path: tuple[str | int, ...], value: Any) -> None:
        said = found.values[path].text
        if isinstance(value, str):
            assert said == value
        else:
            assert tomllib.loads(f"v = {said}")["v"] == value
        items = dict(enumerate(value)) if isinstance(value, list) else value
        for key, inner in items.items() if isinstance(items, dict) else ():
            check((*path, key), inner)

    for key, value in tomllib.loads(text).items():
        check((key,), value)
