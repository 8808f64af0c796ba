"""What tests say of firewalls whose meaning is plain."""

from __future__ import annotations

import pytest

from iptlint.model import Family, Hook
from iptlint.policy.file import read_tests
from iptlint.policy.judge import judge
from iptlint.policy.results import Status
from tests.policy.hosts import closed, host, judged, status

SSH = "-A INPUT -s 203.0.113.0/24 -p tcp -m tcp --dport 22 -j ACCEPT"
WEB = "-A INPUT -p tcp -m multiport --dports 80,443 -j ACCEPT"
OFFICE = '[zones]\noffice = "203.0.113.0/24"\nlab = "203.0.113.0/26"\nother = "198.51.100.0/24"\n'
IP = 'families = ["ip"]\n'
HOLDS, FAILS, POSSIBLE = Status.HOLDS, Status.FAILS, Status.POSSIBLE


@pytest.mark.parametrize(
    ("sentence", "wanted"),
    [
        ("deny from internet to 5432", HOLDS),
        ("deny from internet to ssh", FAILS),
        ("deny from other to ssh", HOLDS),
        ("allow from office to ssh", HOLDS),
        ("allow from lab to ssh", HOLDS),
        ("allow from internet to ssh", FAILS),
        ("allow from internet to https", HOLDS),
        ("allow from internet to 80, 443", HOLDS),
        ("allow from internet to 80, 444", FAILS),
        ("allow from office, other to ssh", FAILS),
        ("only from office to ssh", HOLDS),
        ("only from lab to ssh", FAILS),
        ("only from anyone to http", HOLDS),
        ("deny from internet to 22/udp", HOLDS),
        ("deny from internet to ping", HOLDS),
        ("deny from internet to 79-81", FAILS),
        ("deny from internet to 81-442", HOLDS),
        ("deny from anyone to any on forward", HOLDS),
        ("allow from host to internet any", HOLDS),
        ("deny from host to internet 25", FAILS),
    ],
)
def test_a_plain_server(sentence: str, wanted: Status) -> None:
    assert status(sentence, closed(SSH, WEB), more=IP + OFFICE) is wanted


@pytest.mark.parametrize("name", ["eth7", "wlan*"])
def test_an_example_comes_by_the_interface_that_is_said(name: str) -> None:
    """Though the rules name no such one, and any other fares alike."""
    zones = f'[zones]\nguests = {{ interfaces = ["{name}"] }}\n'
    result = judged("deny from guests to http", closed(WEB), more=IP + zones)
    assert result.witness is not None
    assert result.witness.iif == name.replace("*", "0")
    forward = closed("-A FORWARD -i eth1 -j ACCEPT")
    lan = '[zones]\nlan = { interfaces = ["eth1"] }\n' + zones.removeprefix("[zones]\n")
    result = judged("deny from lan to guests", forward, more=IP + lan)
    assert result.witness is not None
    assert (result.witness.iif, result.witness.oif) == ("eth1", name.replace("*", "0"))


def test_by_which_interface_it_has_to_leave_is_no_guess_at_names() -> None:
    """Nothing leaves by lo, and the interfaces that no rule names are among those it may be."""
    to = "-A PREROUTING -i eth0 -p tcp --dport 443 -j DNAT --to-destination 10.0.5.5"
    nat = f"*nat\n{to}\nCOMMIT\n"
    on = ("-A FORWARD -i eth0 -o eth2 -j DROP", "-A FORWARD -i eth0 -d 10.0.5.5 -j ACCEPT")
    back = "-A FORWARD -m conntrack --ctstate ESTABLISHED -j ACCEPT"
    zones = '[zones]\ninternet = { interfaces = ["eth0"] }\n'
    for rules, by in (
        ((back, *on), "leaving by any but eth0 or eth2"),
        ((back, "-A FORWARD -i eth0 -o eth2 -j ACCEPT"), "leaving by eth2"),
        ((back, on[1]), "leaving by any but eth0"),
    ):
        result = judged("allow from internet to https", nat + closed(*rules), more=IP + zones)
        assert result.status is HOLDS
        assert result.message.startswith(f"only {by}, ")


def test_a_failure_shows_a_packet_and_who_decides() -> None:
    result = judged("deny from internet to ssh", closed(SSH), more=IP)
    assert (result.family, result.way) == (Family.IP, Hook.INPUT)
    assert result.witness is not None
    assert result.witness.saddr is not None
    assert result.witness.saddr.startswith("203.0.113.")
    assert (result.witness.dport, result.witness.tcp_flags) == (22, ("syn",))
    assert result.decision is not None
    assert result.decision.span.text == SSH
    allowed = judged("allow from internet to ssh", closed(SSH), more=IP)
    assert allowed.decision is not None
    assert allowed.decision.rule is None
    assert allowed.witness is not None
    assert not (allowed.witness.saddr or "").startswith("203.0.113.")


def test_a_limit_makes_it_conditional() -> None:
    limited = closed("-A INPUT -p tcp -m tcp --dport 22 -m limit --limit 5/min -j ACCEPT")
    for sentence in ("allow from internet to ssh", "deny from internet to ssh"):
        result = judged(sentence, limited, more=IP)
        assert (result.status, result.passes) == (POSSIBLE, False)
        assert "limit rate 5/minute" in result.message
        allowing = f'families = ["ip"]\n[[test]]\nthat = "{sentence}"\nallow-possible = true'
        (again,) = judge(read_tests(allowing), [host(limited)])
        assert (again.status, again.passes) == (POSSIBLE, True)


def test_a_set_that_nobody_knows_makes_it_conditional_and_a_known_one_does_not() -> None:
    rules = closed("-A INPUT -p tcp -m tcp --dport 22 -m set --match-set good src -j ACCEPT")
    sentence = "allow from office to ssh"
    assert status(sentence, rules, more=IP + OFFICE) is POSSIBLE
    sets = "create good hash:net family inet\nadd good 203.0.113.0/24\n"
    assert judged(sentence, rules, more=IP + OFFICE, sets=sets).status is HOLDS


def test_answers_have_to_come_back() -> None:
    rules = closed(SSH).replace(":OUTPUT ACCEPT", ":OUTPUT DROP")
    result = judged("allow from office to ssh", rules, more=IP + OFFICE)
    assert result.status is FAILS
    assert "answer" in result.message
    stateful = rules.replace(SSH, SSH + "\n-A OUTPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT")
    assert status("allow from office to ssh", stateful, more=IP + OFFICE) is HOLDS
    stateless = rules.replace(
        SSH, SSH + "\n-A OUTPUT -d 203.0.113.0/26 -p tcp -m tcp --sport 22 -j ACCEPT"
    )
    assert status("allow from office to ssh", stateless, more=IP + OFFICE) is FAILS
    assert status("allow from lab to ssh", stateless, more=IP + OFFICE) is HOLDS


DOCKER = """\
*nat
:PREROUTING ACCEPT [0:0]
-A PREROUTING -p tcp -m tcp --dport 15432 -j DNAT --to-destination 172.17.0.2:5432
COMMIT
*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -d 172.17.0.2/32 -o docker0 -p tcp -m tcp --dport 5432 -j ACCEPT
COMMIT
"""


def test_a_published_port_is_reached_by_both_of_its_numbers() -> None:
    for port in (5432, 15432):
        result = judged(f"deny from internet to {port}", DOCKER, more=IP)
        assert (result.status, result.witness and result.witness.dport) in (
            (FAILS, 15432),
            (FAILS, 5432),
        )
    assert status("allow from internet to 15432", DOCKER, more=IP) is HOLDS
    assert status("allow from internet to 5432 on input", DOCKER, more=IP) is FAILS
    guests = IP + '[zones]\nguests = "172.17.0.2"\n'
    assert status("allow from internet to guests 5432", DOCKER, more=guests) is HOLDS
    assert status("deny from internet to guests 5432", DOCKER, more=guests) is FAILS
    assert status("deny from internet to guests 15432", DOCKER, more=guests) is HOLDS
    unfiltered = DOCKER.replace("-A FORWARD -d 172.17.0.2/32 -o docker0 -p tcp", "# ")
    assert status("deny from internet to 15432", unfiltered, more=IP) is HOLDS


ROUTER = """\
table inet filter {
    chain input { type filter hook input priority 0; policy drop; }
    chain forward {
        type filter hook forward priority 0; policy drop;
        ct state established,related accept
        iifname "lan0" oifname "wan0" accept
        iifname "lan0" oifname "dmz0" tcp dport 443 accept
    }
}
"""
ZONES = """
[zones]
lan = { interfaces = ["lan0"] }
dmz = { interfaces = ["dmz0"] }
wan = { interfaces = ["wan0"] }
"""


@pytest.mark.parametrize(
    ("sentence", "wanted"),
    [
        ("isolated dmz wan", HOLDS),
        ("isolated dmz lan", FAILS),
        ("deny from dmz to lan", HOLDS),
        ("deny from lan to dmz 80", HOLDS),
        ("allow from lan to dmz 443", HOLDS),
        ("allow from lan to wan 80", HOLDS),
        ("allow from lan to dmz 80", FAILS),
        ("deny from wan to anyone", HOLDS),
        ("only from lan to dmz 443", HOLDS),
    ],
)
def test_a_router_over_both_families(sentence: str, wanted: Status) -> None:
    policy = read_tests(f'tests = ["{sentence}"]\n{ZONES}')
    results = [*judge(policy, [host(ROUTER)])]
    assert [(each.family, each.status) for each in results] == [
        (Family.IP, wanted),
        (Family.IP6, wanted),
    ]


def test_a_family_without_rules_is_not_proved() -> None:
    policy = read_tests('tests = ["deny from internet to 22"]')
    four, six = judge(policy, [host(closed())])
    assert (four.status, six.status, six.passes) == (HOLDS, Status.UNPROVED, False)
    only_ip = "table ip filter { chain input { type filter hook input priority 0; policy drop; }; }"
    four, six = judge(policy, [host(only_ip)])
    assert (four.status, six.status) == (HOLDS, FAILS)  # nft says all there is
    (allowed,) = (
        r
        for r in judge(read_tests('tests = ["allow from anyone to 22"]'), [host(only_ip)])
        if r.family is Family.IP6
    )
    assert allowed.status is HOLDS


def test_a_zone_of_one_family_is_judged_over_that_one() -> None:
    policy = read_tests(f'tests = ["allow from office to ssh"]\n{OFFICE}')
    (result,) = judge(policy, [host(closed(SSH))])
    assert (result.family, result.status) == (Family.IP, HOLDS)


def test_tests_are_for_the_hosts_that_they_name() -> None:
    text = '[[test]]\nthat = "deny from internet to 22"\nhosts = ["db*"]\n'
    assert [*judge(read_tests(text), [host(closed())])] == []


def test_by_which_interface_it_holds_is_said() -> None:
    rules = closed("-A INPUT -i eth0 -p tcp -m tcp --dport 22 -j ACCEPT")
    result = judged("allow from internet to ssh", rules, more=IP)
    assert result.status is HOLDS
    assert "eth0" in result.message
    both = IP + '[zones]\ninternet = { interfaces = ["eth0", "eth1"] }\n'
    assert status("allow from internet to ssh", rules, more=both) is FAILS


def test_who_comes_in_by_an_interface_that_may_be_the_internets_is_not_left_out() -> None:
    """All is accepted by eth1: nobody knows that it is not an uplink, unless somebody says so."""
    rules = closed("-A INPUT -i eth1 -j ACCEPT")
    result = judged("deny from internet to ssh", rules, more=IP)
    assert result.status is FAILS
    assert "interfaces" in result.help
    told = IP + '[zones]\ninternet = { interfaces = ["eth0"] }\n'
    assert status("deny from internet to ssh", rules, more=told) is HOLDS


def test_nobody_but_the_zone_means_every_other_interface_too() -> None:
    rules = closed("-A INPUT -i eth1 -p tcp -m tcp --dport 22 -j ACCEPT")
    zones = IP + '[zones]\nlan = { interfaces = ["eth1"] }\nall = { interfaces = ["eth*"] }\n'
    assert status("only from lan to ssh", rules, more=zones) is HOLDS
    assert status("only from lan to ssh", closed("-A INPUT -i eth+ -j ACCEPT"), more=zones) is FAILS


def test_documentation_addresses_may_be_dropped_without_failing_the_internet() -> None:
    rules = closed("-A INPUT -s 192.0.2.0/24 -j DROP", WEB)
    assert status("allow from internet to 443", rules, more=IP) is HOLDS
    banned = closed("-A INPUT -s 9.9.9.0/24 -j DROP", WEB)
    assert status("allow from internet to 443", banned, more=IP) is FAILS
    but = IP + '[zones]\ninternet = { except = ["9.9.9.0/24"] }\n'
    assert status("allow from internet to 443", banned, more=but) is HOLDS


def test_the_same_as_another_file() -> None:
    six = closed(WEB).replace("COMMIT", "COMMIT")
    text = 'tests = ["same as rules2"]'
    one = host(closed(WEB, SSH), six)
    others = {"rules2": one.rulesets[1]}
    (result,) = judge(read_tests(text), [one], others)
    assert result.status is FAILS
    assert result.witness is not None
    equal = host(closed(WEB), closed(WEB))
    (result,) = judge(read_tests(text), [equal], {"rules2": equal.rulesets[1]})
    assert result.status is HOLDS


def test_the_same_over_two_families() -> None:
    six = "table ip6 f { chain i { type filter hook input priority 0; policy drop; \n%s\n}; }"
    text = 'tests = ["same as rules2"]'
    for rule, wanted in (
        ("tcp dport { 80, 443 } accept", HOLDS),
        ("tcp dport { 80, 443, 8080 } accept", FAILS),
        ("tcp dport 80 accept", FAILS),
    ):
        one = host(closed(WEB), six % rule)
        (result,) = judge(read_tests(text), [one], {"rules2": one.rulesets[1]})
        assert result.status is wanted, rule


def test_a_way_that_no_such_packet_takes_is_no_proof() -> None:
    result = judged(
        "deny from internet to lan on output", closed(), more=IP + "[zones]\nlan = '10.0.0.0/8'\n"
    )
    assert (result.status, result.passes) == (Status.UNPROVED, False)
    only_input = "table ip f { chain i { type filter hook input priority 0; policy drop; }; }"
    assert status("deny from internet to 22", only_input, more=IP) is HOLDS
    assert (
        "forwarded is left out" in judged("deny from internet to 22", only_input, more=IP).message
    )
    assert status("deny from internet to 22 on forward", only_input, more=IP) is FAILS


def test_what_includes_files_that_are_not_here_proves_nothing() -> None:
    text = 'include "/nowhere/at/all/*.nft"\n' + ROUTER
    policy = read_tests(f'tests = ["isolated dmz wan"]\n{ZONES}')
    results = [*judge(policy, [host(text)])]
    assert {(each.status, each.passes) for each in results} == {(POSSIBLE, False)}
    assert "included files" in results[0].message


def test_anyone_comes_by_every_interface() -> None:
    rules = closed("-A INPUT -i eth0 -p tcp -m tcp --dport 22 -j ACCEPT")
    assert status("allow from anyone to ssh", rules, more=IP) is FAILS
    assert status("allow from 203.0.113.7 to ssh", rules, more=IP) is HOLDS


def test_what_is_translated_to_one_host_says_nothing_of_its_network() -> None:
    zones = IP + '[zones]\nguests = "172.17.0.0/16"\n'
    assert status("allow from internet to guests 5432", DOCKER, more=zones) is FAILS


def test_who_answers_past_the_host_answers_nobody() -> None:
    """A hairpin: the published server is behind the interface that the caller comes by."""
    hairpin = DOCKER.replace(
        "-A FORWARD -d", "-A FORWARD -i docker0 -o docker0 -j ACCEPT\n-A FORWARD -d"
    )
    zones = IP + '[zones]\nnear = { interfaces = ["docker0"], networks = ["172.17.0.3"] }\n'
    result = judged("allow from near to 15432", hairpin, more=zones)
    assert result.status is FAILS
    assert "answer" in result.message
    masked = hairpin.replace(
        "COMMIT\n*filter", "-A POSTROUTING -o docker0 -j MASQUERADE\nCOMMIT\n*filter"
    ).replace("*nat\n:PRE", "*nat\n:POSTROUTING ACCEPT [0:0]\n:PRE")
    assert status("allow from near to 15432", masked, more=zones) is HOLDS


def test_a_connection_in_a_zone_of_its_own_may_not_be_found_again() -> None:
    zoned = ROUTER.replace(
        "table inet filter {",
        "table inet filter { chain z { type filter hook prerouting priority -300;"
        ' iifname "lan0" ct zone set 1; }',
    )
    policy = read_tests(f'tests = ["allow from lan to wan 80"]\n{ZONES}')
    assert {each.status for each in judge(policy, [host(zoned)], changes=False)} == {POSSIBLE}


def test_what_a_proxy_on_the_host_answers_is_answered() -> None:
    """Sent through the host, and redirected to it."""
    rules = """\
*nat
:PREROUTING ACCEPT [0:0]
-A PREROUTING -i lan0 -p tcp -m tcp --dport 80 -j REDIRECT --to-ports 3128
COMMIT
*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lan0 -p tcp -m tcp --dport 3128 -j ACCEPT
COMMIT
"""
    zones = IP + '[zones]\nlan = { interfaces = ["lan0"] }\nfar = "198.51.100.0/24"\n'
    assert status("allow from lan to far 80", rules, more=zones) is HOLDS
    assert status("allow from lan to far 443", rules, more=zones) is FAILS
    assert status("deny from lan to far 80", rules, more=zones) is HOLDS
    assert status("deny from lan to 3128", rules, more=zones) is FAILS
