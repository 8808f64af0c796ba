"""The table of who reaches what, against single tests of the same."""

from __future__ import annotations

import csv
import io
import json

import jsonschema

from iptlint.model import Family
from iptlint.policy.access import Access
from iptlint.policy.file import read_tests
from iptlint.policy.found import found_in
from iptlint.policy.judge import judge
from iptlint.policy.matrix import Matrix, matrix_of
from iptlint.policy.results import Status
from iptlint.policy.zones import INTERNET
from iptlint.reports.html.matrix_page import matrix_html
from iptlint.reports.matrix import matrix_csv, matrix_json, matrix_markdown, matrix_text
from iptlint.reports.safe import width
from tests.expectations import ROOT
from tests.policy.hosts import closed, host
from tests.policy.test_judge import DOCKER, ROUTER

SERVER = closed(
    "-A INPUT -s 203.0.113.0/24 -p tcp -m tcp --dport 22 -j ACCEPT",
    "-A INPUT -p tcp -m multiport --dports 80,443 -j ACCEPT",
    "-A INPUT -s 10.0.0.0/8 -p udp -m udp --dport 53 -j ACCEPT",
    "-A INPUT -p icmp -m icmp --icmp-type 8 -m limit --limit 5/sec -j ACCEPT",
)


def word(matrix: Matrix, zone: str, service: str) -> Access | None:
    row = next(row for row in matrix.rows if row.zone.name == zone)
    number = [each.name for each in matrix.services].index(service)
    return row.cells[number].access


def test_zones_and_services_are_those_that_rules_name() -> None:
    found = found_in([host(SERVER)])
    assert [zone.name for zone in found.zones] == ["internet", "10.0.0.0/8", "203.0.113.0/24"]
    names = [service.name for service in found.services]
    assert names == ["22 ssh", "53/udp", "80 http", "443 https", "ping", "any other"]
    named = {
        (part.protocol, each) for s in found.services for part in s.parts for each in part.ports
    }
    assert (6, (444, 65535)) in named
    assert not any(low <= 80 <= high for p, (low, high) in named if p == 6 and low != high)


def test_each_cell_says_what_a_test_would() -> None:
    """A cell is yes where `allow` holds (answers aside: all are let out here), no where `deny`
    does for what clients send, and limited where only a limit decides."""
    for text in (SERVER, DOCKER, ROUTER):
        one = host(text)
        matrix = matrix_of([one])
        zones = "".join(
            f"z{n} = {{ networks = {json.dumps([*map(str, row.zone.networks)])}, "
            f"interfaces = {json.dumps(row.zone.interfaces)} }}\n"
            for n, row in enumerate(matrix.rows)
            if row.zone.name != INTERNET.name
        )
        for n, row in enumerate(matrix.rows):
            name = "internet" if row.zone.name == INTERNET.name else f"z{n}"
            for service, cell in zip(matrix.services, row.cells, strict=True):
                if len(service.parts) != 1:
                    continue
                asked = service.parts[0].text
                policy = read_tests(f'tests = ["allow from {name} to {asked}"]\n[zones]\n{zones}')
                said = {r.family: r.status for r in judge(policy, [one], changes=False)}
                for part in cell.parts:
                    assert (part.access is Access.YES) is (said[part.family] is Status.HOLDS)
                    assert (part.access is Access.LIMITED) is (said[part.family] is Status.POSSIBLE)


def test_what_is_published_is_reached() -> None:
    matrix = matrix_of([host(DOCKER)])
    assert word(matrix, "internet", "15432") is Access.YES
    assert word(matrix, "internet", "5432 postgresql") is Access.NO


def test_families_that_differ_say_so() -> None:
    nft = "table ip6 f { chain i { type filter hook input priority 0; policy accept; }; }"
    matrix = matrix_of([host(SERVER, nft)])
    row = matrix.rows[0]
    ssh = row.cells[0]
    assert ssh.differs
    assert {part.family: part.access for part in ssh.parts} == {
        Family.IP: Access.SOME,
        Family.IP6: Access.YES,
    }
    assert "v4 some v6 yes [1]" in matrix_text(matrix)


def test_to_another_zone_through_the_host() -> None:
    policy = read_tests(
        '[zones]\nlan = { interfaces = ["lan0"] }\ndmz = { interfaces = ["dmz0"] }\n'
        "[services]\nweb = 443\nssh2 = 22",
        needs_tests=False,
    )
    matrix = matrix_of([host(ROUTER)], policy, policy.zones["dmz"])
    assert word(matrix, "lan", "web") is Access.YES
    assert word(matrix, "lan", "ssh2") is Access.NO
    assert word(matrix, "internet", "web") is Access.NO


def test_no_line_is_wider_than_asked_for() -> None:
    text = matrix_text(matrix_of([host(SERVER)]), 80)
    assert max(map(width, text.splitlines())) <= 80
    assert "from 203.0.113.0/24" in text


def test_every_format_holds_every_cell() -> None:
    matrix = matrix_of([host(SERVER)])
    rows = [*csv.reader(io.StringIO(matrix_csv(matrix)))]
    assert [row[0] for row in rows[1:]] == [row.zone.name for row in matrix.rows]
    assert len({len(row) for row in rows}) == 1
    assert matrix_markdown(matrix).count("\n|") == len(matrix.rows) + 1
    page = matrix_html(matrix)
    assert page.count("<td ") == len(matrix.rows) * len(matrix.services)
    schema = json.loads((ROOT / "docs" / "json-schema.json").read_text("utf-8"))
    contract = jsonschema.Draft202012Validator({**schema, "$ref": "#/$defs/matrix"})
    assert [*contract.iter_errors(json.loads(matrix_json(matrix)))] == []


def test_what_a_file_calls_things_is_text() -> None:
    evil = '-A INPUT -i "<b>x" -p tcp -m tcp --dport 22 -j ACCEPT'
    matrix = matrix_of([host(closed(evil))])
    assert "<b>x" not in matrix_html(matrix)
    assert "<b>x" not in matrix_markdown(matrix)


def test_the_internet_sends_nothing_to_private_addresses() -> None:
    """What is open at a private address alone is open to whoever routes there, and said so."""
    ours = "-A INPUT -d 10.96.0.10/32 -p tcp -m tcp --dport 53 -j ACCEPT"
    theirs = "-A INPUT -d 203.0.113.5/32 -p tcp -m tcp --dport 80 -j ACCEPT"
    matrix = matrix_of([host(closed(ours, theirs))])
    assert word(matrix, "internet", "53 domain") is Access.SOME
    assert word(matrix, "internet", "80 http") is Access.YES
    assert "to 10.96.0.10" in matrix_text(matrix)
