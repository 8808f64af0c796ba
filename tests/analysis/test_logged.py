from __future__ import annotations

import random
from ipaddress import ip_network

import pytest

import iptlint
from iptlint.analysis.logged import LogReader, Written
from iptlint.model.host_addresses import with_own
from iptlint.packets.log_line import LogLine, log_lines
from tests.firewalls import saved

TCP = "PROTO=TCP SPT=40000 DPT={} WINDOW=1 RES=0x00 SYN URGP=0"
PACKET = "MAC= SRC={} DST={} LEN=60 TOS=0x00 PREC=0x00 TTL=64 ID=1 DF "
ADDRESSES = ("203.0.113.9", "192.0.2.1")


def written(
    rules: str,
    prefix: str = "",
    ways: str = "IN=eth0 OUT=",
    port: int = 22,
    ends: tuple[str, str] = ADDRESSES,
    own: str | None = None,
    more: str = "",
) -> Written:
    line = f"{prefix}{ways} {PACKET.format(*ends)}{TCP.format(port)} {more}"
    (read,) = log_lines(line)
    assert isinstance(read, LogLine)
    ruleset = iptlint.read(rules)
    addresses = with_own([ip_network(own)], ruleset) if own else None
    return LogReader(ruleset, addresses).read(read)


def rules_of(answer: Written) -> list[int]:
    return [writer.decision.span.line for writer in answer.writers]


def ends_of(answer: Written) -> set[tuple[str, int | None]]:
    return {
        (end.kind.value, end.decision.span.line if end.decision else None)
        for writer in answer.writers
        for end in writer.ends
    }


BOTH = saved(
    '-A INPUT -p tcp --dport 22 -j LOG --log-prefix "a "',  # line 5
    "-A INPUT -s 203.0.113.0/24 -p tcp --dport 22 -j ACCEPT",
    '-A INPUT -p tcp --dport 80 -j LOG --log-prefix "a "',
    '-A FORWARD -j LOG --log-prefix "a "',
    policy="DROP",
)


def test_the_rule_that_such_a_packet_comes_to() -> None:
    answer = written(BOTH, "a ")
    assert (rules_of(answer), ends_of(answer)) == ([5], {("accept", 6)})
    answer = written(BOTH, "a ", ends=("198.51.100.9", "192.0.2.1"))
    assert (rules_of(answer), ends_of(answer)) == ([5], {("drop", 2)})
    assert rules_of(written(BOTH, "a ", port=80)) == [7]
    assert rules_of(written(BOTH, "a ", ways="IN=eth0 OUT=eth1")) == [8]


def test_no_rule_is_said_where_none_can_have_written_it() -> None:
    answer = written(BOTH, "a ", port=443)
    assert (answer.writers, answer.untold) == (
        (),
        "no packet like this comes to a rule that logs with this prefix",
    )
    assert written(BOTH, "b ").untold == "no rule here logs with this prefix"


def test_two_that_no_line_tells_apart() -> None:
    rules = saved(
        '-A INPUT -m conntrack --ctstate NEW -j LOG --log-prefix "a "',
        '-A INPUT -m conntrack --ctstate INVALID -j LOG --log-prefix "a "',
        "-A INPUT -m conntrack --ctstate INVALID -j DROP",
    )
    answer = written(rules, "a ")
    assert rules_of(answer) == [5, 6]
    assert ends_of(answer) == {("accept", 2), ("drop", 7)}


def test_a_limit_let_the_line_be_written() -> None:
    """And what comes behind has another limit."""
    rules = saved(
        '-A INPUT -m limit --limit 1/sec -j LOG --log-prefix "a "',
        "-A INPUT -m limit --limit 5/min -j ACCEPT",
        policy="DROP",
    )
    assert ends_of(written(rules, "a ")) == {("accept", 6), ("drop", 2)}


def test_a_line_shows_the_packet_as_it_is_there() -> None:
    """Its mark, and its destination once it was translated."""
    rules = saved("-A PREROUTING -p tcp --dport 22 -j MARK --set-mark 7", table="mangle") + saved(
        '-A INPUT -m mark --mark 7 -j LOG --log-prefix "a "',
        '-A FORWARD -d 10.0.0.7 -p tcp --dport 22 -j LOG --log-prefix "a "',
    )
    assert rules_of(written(rules, "a ", more="MARK=0x7")) == [13]
    assert written(rules, "a ").writers == ()
    forwarded = written(rules, "a ", "IN=eth0 OUT=eth1", ends=("203.0.113.9", "10.0.0.7"))
    assert len(forwarded.writers) == 1


def test_a_rule_before_routing() -> None:
    rules = saved('-A PREROUTING -j LOG --log-prefix "a "', table="raw") + saved(
        "-A INPUT -j DROP", "-A FORWARD -j REJECT"
    )
    assert {kind for kind, _ in ends_of(written(rules, "a ", own="192.0.2.1"))} == {"drop"}
    assert {kind for kind, _ in ends_of(written(rules, "a ", own="192.0.2.2"))} == {"reject"}
    assert {kind for kind, _ in ends_of(written(rules, "a "))} == {"drop", "reject"}


def test_nft_logs_and_decides_in_one_statement() -> None:
    rules = (
        "table inet t {\n chain c {\n  type filter hook input priority 0\n"
        '  tcp dport 22 log prefix "a " drop\n'
        '  tcp dport 23 log prefix "b " group 2 accept\n }\n}\n'
    )
    assert ends_of(written(rules, "a ")) == {("drop", 4)}
    assert ends_of(written(rules, "b ", port=23)) == {("accept", 5)}


def test_what_the_host_sends_may_show_its_interface_twice() -> None:
    """As the kernel's own multicasts do at postrouting."""
    rules = saved('-A POSTROUTING -o eth0 -j LOG --log-prefix "a "', table="mangle")
    for ways in ("IN= OUT=eth0", "IN=eth0 OUT=eth0", "IN=eth1 OUT=eth0"):
        assert len(written(rules, "a ", ways).writers) == 1
    assert written(rules, "a ", "IN=eth1 OUT=eth1").writers == ()


def test_a_bridge() -> None:
    rules = (
        "table bridge t {\n chain c {\n  type filter hook forward priority 0\n"
        '  ip daddr 192.0.2.1 log prefix "a "\n  drop\n }\n}\n'
    )
    assert ends_of(written(rules, "a ", "IN=p1 OUT=p2")) == {("drop", 5)}


@pytest.mark.parametrize("seed", range(4))
def test_lines_asked_together_are_answered_as_each_alone(seed: int) -> None:
    """What rules do not test is left out of the question, so that equal ones are asked once."""
    luck = random.Random(seed)
    ports = luck.sample(range(1, 100), 6)
    rules = [
        f'-A INPUT -p tcp --dport {port} --sport {1000 * n}: -j LOG --log-prefix "a "'
        for n, port in enumerate(ports)
    ]
    ruleset = iptlint.read(saved(*rules, f"-A INPUT -p tcp --dport {ports[0]} -j DROP"))
    together = LogReader(ruleset)
    for _ in range(40):
        text = f"a IN=eth0 OUT= {PACKET.format(*ADDRESSES)}{TCP.format(luck.choice(ports))}"
        text = text.replace("SPT=40000", f"SPT={luck.randrange(1, 7000)}")
        text = text.replace("LEN=60", f"LEN={luck.randrange(40, 1500)}")
        (line,) = log_lines(text)
        assert isinstance(line, LogLine)
        assert rules_of(together.read(line)) == rules_of(LogReader(ruleset).read(line))
