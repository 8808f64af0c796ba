"""Lists of hosts, as people and as Ansible write them."""

from __future__ import annotations

import pytest

from iptlint.fleet.inventory import InventoryError, Target, targets

INI = """\
# all of them
bastion.example.com

[web]
web[01:03].example.com ansible_user=deploy
[db]
db-[a:b] ansible_host=192.0.2.7 ansible_port=2222 comment="of the old site"  # moves soon
; a comment
[site:children]
web
db
[site:vars]
ansible_user = root
ansible_ssh_common_args='-J bastion'
"""


def test_a_plain_list() -> None:
    found, unused = targets("web1\n\nroot@web2.example.com\n2001:db8::7\nweb1\n")
    assert [each.destination for each in found] == ["web1", "root@web2.example.com", "2001:db8::7"]
    assert unused == ()


def test_groups_and_variables_of_ansible() -> None:
    found, unused = targets(INI)
    assert [each.name for each in found] == [
        *("bastion.example.com", "web01.example.com", "web02.example.com", "web03.example.com"),
        *("db-a", "db-b"),
    ]
    assert found[0] == Target(
        "bastion.example.com", "bastion.example.com", None, ("ungrouped", "all")
    )
    assert found[1].destination == "deploy@web01.example.com"
    assert found[4] == Target("db-a", "root@192.0.2.7", 2222, ("db", "site", "all"))
    assert unused == ("ansible_ssh_common_args",)
    assert [t.name for t in found if t.fits(["site"])] == [t.name for t in found[1:]]
    assert [t.name for t in found if t.fits(["db-*", "bastion*"])] == [
        *("bastion.example.com", "db-a", "db-b"),
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("web1\n-oProxyCommand=x\n", "2: '-oProxyCommand=x' is no name of a host"),
        ("web1 web2\n", "1: 'web2' is no name=value; one host stands in a line"),
        ("web[9:1]\n", r"1: \[9:1\] is no range of hosts"),
        ("web[1:99999999999]\n", "is no range of hosts"),
        ("web[1:90000][1:90000]\n", "more than 100000 hosts"),
        ("[web:hosts]\n", r"1: \[web:hosts\] is no group"),
        ("web1 'x\n", "1: No closing quotation"),
    ],
)
def test_what_cannot_be_understood_is_told_with_its_line(text: str, said: str) -> None:
    with pytest.raises(InventoryError, match=said):
        targets(text)


def test_groups_that_hold_each_other_have_an_end() -> None:
    found, _ = targets("[a]\nx\n[a:children]\nb\n[b:children]\na\n")
    assert found[0].groups == ("a", "b", "all")
