"""What an explanation says of firewalls whose meaning is plain, and that its sets are the kernel's:
each is held against single packets that are traced."""

from __future__ import annotations

import itertools
import json
import random
import re
from typing import Any

import jsonschema
import pytest

import iptlint
from iptlint.model import Family, Field, Hook
from iptlint.netfilter.firewall import Firewall
from iptlint.packets.describe import Description, describe
from iptlint.packets.witness import witness
from iptlint.policy import chain_sentences
from iptlint.policy.sentences import sentences_of
from iptlint.policy.whole import _Way, named
from iptlint.reports.explanation import explanation_json, explanation_markdown, explanation_text
from iptlint.reports.safe import width
from tests.costs import at_most
from tests.expectations import FIXTURES, ROOT
from tests.policy.hosts import closed, host
from tests.policy.test_judge import DOCKER, ROUTER

SERVER = closed(
    "-A INPUT -s 203.0.113.0/24 -p tcp -m tcp --dport 22 -j ACCEPT",
    "-A INPUT -p tcp -m multiport --dports 80,443 -j ACCEPT",
    "-A INPUT -p icmp -m icmp --icmp-type 8 -m limit --limit 5/sec -j ACCEPT",
    '-A INPUT -j LOG --log-prefix "in: "',
)


def whole(*texts: str) -> list[str]:
    explained = sentences_of(host(*texts), chains=False)
    lines = explanation_text([explained], 200).splitlines()
    return [line.strip() for line in lines if line]


def test_what_nobody_could_read_is_asked_once_under_what_it_lets_in() -> None:
    """Of each of many rules it would be asked what all the others leave open."""
    unread = [f"-A INPUT -s 192.0.2.{number}/99 -j ACCEPT" for number in range(200)]
    with at_most(3):
        assert whole(closed(*unread))[1].startswith("To this host come in")


def test_a_server() -> None:
    assert whole(SERVER)[:9] == [
        "Over IPv4",
        "To this host come in:",
        "- tcp to port 80 (http) or 443 (https) (line 7)",
        "- tcp from 203.0.113.0/24 to port 22 (ssh) (line 6)",
        "- icmp echo-request, while line 8: limit rate 5/second burst 5 packets (line 8)",
        'All else is dropped, and logged as "in:". (line 2)',
        "Through this host: nothing new; it is dropped. (line 3)",
        "From this host: everything. (line 4)",
        "Answers to what this host asks come in. (line 5)",
    ]
    assert "No rules for IPv6 were given." in whole(SERVER)


def test_each_of_the_rules_that_decide_is_named_or_others_are() -> None:
    """With one line for several ports, a reader looks for the others in that line."""
    ports = (22, 80, 443, 8080, 8443, 9000, 9001, 9002, 9003, 9004)
    rules = [f"-A INPUT -p tcp -m tcp --dport {port} -j ACCEPT" for port in ports]
    sent_on = "-A PREROUTING -p tcp --dport 81 -j REDIRECT --to-ports 80"
    nat = f"*nat\n:PREROUTING ACCEPT [0:0]\n{sent_on}\nCOMMIT\n"
    few = whole(closed(*rules[:3]) + nat)
    assert "- tcp to port 22 (ssh), 80 (http), 81 or 443 (https) (lines 6, 7 and 8)" in few
    for text in (closed(*rules), closed(*rules) + nat):
        (said,) = [line for line in whole(text) if "9000-9004" in line]
        assert re.search(r"\(lines (\d+, ){7}\d+ and others\)$", said)


def test_what_is_logged_only_in_part_is_said_so() -> None:
    partly = SERVER.replace("-A INPUT -j LOG", "-A INPUT -p tcp -j LOG")
    assert any('some of it is logged as "in:"' in line for line in whole(partly))
    limited = SERVER.replace("-A INPUT -j LOG", "-A INPUT -m limit --limit 1/min -j LOG")
    assert any("within a limit" in line for line in whole(limited))


def test_what_a_tarpit_holds_is_not_dropped() -> None:
    tarpit = closed("-A INPUT -p tcp -m tcp --dport 23 -j TARPIT")
    ended = "To this host: nothing new; it is dropped or left hanging by TARPIT. (lines 2 and 6)"
    assert ended in whole(tarpit)
    lines = explanation_text([sentences_of(host(tarpit))], 200).splitlines()
    hangs = "lets hang (TARPIT opens the connection, and takes no data) tcp to port 23 (telnet)"
    assert f"  {hangs} (line 6)" in lines


def test_translations() -> None:
    lines = whole(DOCKER)
    assert "- tcp to port 15432 (line 10)" in lines
    assert "tcp to port 15432 is sent on to 172.17.0.2 port 5432. (line 10)" in lines


def test_a_redirect_leads_to_this_host() -> None:
    """The kernel takes an address of the interface that a packet comes in by (nf_nat_redirect)."""
    redirect = "-A PREROUTING -p tcp -m tcp --dport 80 -j REDIRECT --to-ports 8080"
    opened = SERVER.replace("80,443", "8080")
    lines = whole(f"*nat\n:PREROUTING ACCEPT [0:0]\n{redirect}\nCOMMIT\n{opened}")
    assert not any("another address" in line for line in lines)
    assert any("is sent on to port 8080 of this host itself." in line for line in lines)


def test_both_families_are_told_once_where_they_are_alike() -> None:
    lines = whole(ROUTER)
    assert not any(line.startswith("Over") for line in lines)
    assert "- everything in on lan0, out on wan0 (line 6)" in lines
    assert "- tcp to port 443 (https), in on lan0, out on dmz0 (line 7)" in lines


def test_each_chain_with_its_lines() -> None:
    text = explanation_text([sentences_of(host(SERVER))])
    assert "ip filter INPUT, to this host; what no rule decides is dropped (line 2)" in text
    assert "  accepts tcp from 203.0.113.0/24 to port 22 (ssh) (line 6)" in text
    assert '  logs as "in:" everything (line 9)' in text
    assert max(map(width, text.splitlines())) <= 80


def test_many_alike_are_one_sentence() -> None:
    bans = [f"-A INPUT -s 203.0.{n}.0/24 -j DROP" for n in range(2, 250, 2)]
    text = explanation_text([sentences_of(host(closed(*bans)))])
    assert "(124 rules) (lines 6 and 129)" in " ".join(text.split())
    assert len(text.splitlines()) < 40


def test_every_format_says_the_same() -> None:
    explained = [sentences_of(host(SERVER))]
    answer = json.loads(explanation_json(explained))
    schema = json.loads((ROOT / "docs" / "json-schema.json").read_text("utf-8"))
    contract = jsonschema.Draft202012Validator({**schema, "$ref": "#/$defs/explanation"})
    assert [*contract.iter_errors(answer)] == []
    first = answer["hosts"][0]["whole"][0]["sentences"][0]
    assert first["points"][0]["text"] == "tcp to port 80 (http) or 443 (https)"
    assert first["points"][0]["places"] == [{"path": "rules1", "line": 7}]
    assert '- All else is dropped, and logged as "in:"\\.' not in explanation_markdown(explained)
    assert "  - tcp from 203.0.113.0/24 to port 22" in explanation_markdown(explained)


def test_names_of_ports_and_types() -> None:
    assert named("tcp to port 22, 8000-8100 or 443") == (
        "tcp to port 22 (ssh), 8000-8100 or 443 (https)"
    )
    assert named("icmp type 8 or type 13") == "icmp echo-request or timestamp-request"
    assert named("tcp from port 22") == "tcp from port 22"


@pytest.mark.parametrize(
    "name", ["web-server", "nat-router", "nft-router", "nft-web-server", "bastion", "mail-server"]
)
def test_its_sets_are_what_packets_meet(name: str) -> None:
    """Packets picked from what comes in, and from what does not, are followed one by one."""
    rng = random.Random(name)
    texts = [p.read_text("utf-8") for p in sorted((FIXTURES / "hosts" / name).iterdir())]
    one = host(*texts[:1])
    family = Family.IP
    for hooks in one.firewalls(family):
        way = _Way(hooks, Hook.INPUT)
        for packets, passes in ((way.surely, True), (way.packets & ~way.perhaps, False)):
            for _ in range(6):
                port = hooks.space.value(Field.DPORT, rng.choice((22, 25, 53, 80, 443, 9100, 6000)))
                packet = witness(hooks.space, packets & port, Hook.INPUT)
                if packet is None or packet.conditions:
                    continue
                traced = iptlint.trace(one.rulesets[0], packet)
                kinds = {outcome.kind.may_pass for outcome in traced.outcomes}
                # Of what is sent on, nobody knows here by which interface it leaves.
                assert (kinds == {False}) is not passes, packet
                assert passes or len(kinds) == 1, packet


def test_rules_behind_those_that_are_told_are_only_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    described: list[object] = []

    def counting(*given: Any) -> Description:
        described.append(given)
        return describe(*given)

    monkeypatch.setattr(chain_sentences, "describe", counting)
    verdicts = itertools.cycle(("ACCEPT", "DROP"))
    rules = [f"-A INPUT -s 10.0.0.{n} -j {next(verdicts)}" for n in range(200)]
    chain, *_ = chain_sentences.chains_of(Firewall(iptlint.read(closed(*rules))))
    assert len(described) < 50
    assert chain.sentences[-1].text.endswith("more sentences of this kind")


def test_each_of_many_unlike_rules_is_no_more_work_for_who_stops_the_rest() -> None:
    """What gets nowhere is no set of simple shape: asked of each rule, it took minutes."""
    verdicts = itertools.cycle(("ACCEPT", "DROP"))
    rng = random.Random(5)
    rules = [
        f"-A INPUT -s 10.{rng.randrange(256)}.{rng.randrange(256)}.0/24 -p tcp "
        f"--dport {rng.randrange(1, 65536)} -j {next(verdicts)}"
        for _ in range(3_000)
    ]
    with at_most(15):
        assert whole(closed(*rules))[-1]
