"""Services that the world has no business with, and the rules that open them."""

from __future__ import annotations

import pytest

from iptlint.analysis.exposed_services import Exposed, exposed_services, is_broad
from iptlint.analysis.services import SERVICES
from iptlint.model import Family, Hook
from iptlint.model.protocols import TCP, UDP
from tests.firewalls import hooked, hooks_of, saved, texts

MYSQL = "-A INPUT -p tcp -m tcp --dport 3306 -j ACCEPT"


def exposed(*rules: str, nat: str = "", chains: str = "") -> list[Exposed]:
    filters = saved(*rules, policy="DROP", chains=chains)
    before = saved(nat, table="nat") if nat else ""
    text = before + filters.replace(":FORWARD ACCEPT", ":FORWARD DROP")
    return [*exposed_services(hooks_of(text))]


def opened(found: list[Exposed]) -> set[tuple[str, int]]:
    return {(one.service.name, one.port) for each in found for one in each.opened}


def test_a_rule_for_a_port_opens_what_listens_there() -> None:
    (found,) = exposed(MYSQL)
    assert opened([found]) == {("MySQL", 3306)}
    assert (found.hook, found.chain, found.ports) == (Hook.INPUT, "INPUT", 1)
    assert texts([found.rule]) == [MYSQL]


@pytest.mark.parametrize(
    "rule",
    [
        MYSQL.replace("INPUT", "INPUT -s 10.0.0.0/8"),
        MYSQL.replace("INPUT", "INPUT -s 198.51.100.7"),
        MYSQL.replace("INPUT", "INPUT -i lo"),
        MYSQL.replace("INPUT", "INPUT -i wg0"),
        MYSQL.replace("ACCEPT", "DROP"),
        MYSQL.replace("3306", "443"),
        MYSQL.replace("tcp", "udp"),
        # A rule for everything opens everything: it is not about this service.
        "-A INPUT -p tcp -j ACCEPT",
        # Who is on a list of those that knocked is not the world.
        MYSQL.replace("-j", "-m recent --rcheck --name knocked -j"),
        # Another hook is no service of this host.
        MYSQL.replace("INPUT", "OUTPUT"),
    ],
)
def test_what_opens_nothing_to_the_world(rule: str) -> None:
    assert exposed(rule) == []


def test_a_rate_opens_it_all_the_same() -> None:
    assert opened(exposed(MYSQL.replace("-j", "-m limit --limit 9/s -j"))) == {("MySQL", 3306)}


def test_a_ban_before_it_closes_it() -> None:
    assert exposed("-A INPUT -p tcp -m tcp --dport 3306 -j DROP", MYSQL) == []
    assert exposed("-A INPUT -s 192.0.2.7 -j DROP", MYSQL) != []


def test_a_list_of_ports_opens_each_that_it_names() -> None:
    several = "-A INPUT -p tcp -m multiport --dports 80,3306,6379 -j ACCEPT"
    (found,) = exposed(several)
    assert opened([found]) == {("MySQL", 3306), ("Redis", 6379)}
    assert found.ports == 3


def test_of_a_range_the_ends_were_meant_and_not_the_midst() -> None:
    assert opened(exposed(MYSQL.replace("3306", "3306:3320"))) == {("MySQL", 3306)}
    assert opened(exposed(MYSQL.replace("3306", "3290:3320"))) == set()


def test_among_very_many_ports_are_all_of_several_services() -> None:
    (found,) = exposed("-A INPUT -p tcp -m tcp --dport 1024:65535 -j ACCEPT")
    assert found.ports == 65535 - 1023
    assert {("MySQL", 3306), ("Redis", 6379), ("MongoDB", 27017)} <= opened([found])


def test_the_call_that_names_the_port_opens_it() -> None:
    call = "-A INPUT -p tcp -m tcp --dport 3306 -j allow"
    (found,) = exposed(call, "-A allow -j ACCEPT", chains="allow")
    assert texts([found.rule]) == [call]


@pytest.mark.parametrize("family", [Family.IP, Family.IP6])
def test_in_both_families(family: Family) -> None:
    (found,) = exposed_services(hooks_of(hooked("udp dport 161 accept", "drop"), family))
    assert opened([found]) == {("SNMP", 161)}
    assert {one.protocol for one in found.opened} == {UDP}


def test_a_translation_opens_the_host_behind() -> None:
    nat = "-A PREROUTING -p tcp -m tcp --dport 13306 -j DNAT --to-destination 10.0.0.8:3306"
    accept = "-A FORWARD -d 10.0.0.8 -p tcp -m tcp --dport 3306 -j ACCEPT"
    (found,) = exposed(accept, nat=nat)
    assert (found.hook, opened([found])) == (Hook.PREROUTING, {("MySQL", 3306)})
    assert texts([found.rule]) == [nat]
    assert texts(share.rule for share in found.through if share.rule) == [accept]
    assert exposed(nat=nat) == []


def test_many_ports_with_several_services_are_about_none() -> None:
    few, many = SERVICES[:3], SERVICES[:4]
    assert is_broad(65, many)
    assert not is_broad(65, few)
    assert not is_broad(64, many)


def test_the_list_of_services() -> None:
    """A port is listed once a protocol, so that a rule opens one service there."""
    listed = [(port, each) for service in SERVICES for port in service.ports
              for each in service.protocols]  # fmt: skip
    assert len(listed) == len({*listed})
    assert {protocol for _, protocol in listed} == {TCP, UDP}
    # What everybody opens on purpose is not in it.
    assert not {port for port, _ in listed} & {22, 25, 53, 80, 123, 443, 993, 1194, 51820}
