"""nft's text as JSON and JSON as text, each proved by reading it again."""

from __future__ import annotations

import json

import pytest

from iptlint.convert.languages import to_json, to_text
from iptlint.dialects import Reader, Reading, read
from iptlint.dialects.files import NoFiles
from iptlint.source import SourceFile

TEXT = """\
define wan = { eth0, eth1 }
table inet filter {
	counter web {
		packets 5 bytes 300
	}

	ct helper ftp {
		type "ftp" protocol tcp
		l3proto inet
	}

	set allowed {
		type ipv4_addr . inet_service
		flags interval,timeout
		timeout 1h
		elements = { 10.0.0.0/8 . 22, 192.0.2.1 . 80-90 timeout 30s comment "x" }
	}

	map marks {
		type ipv4_addr : mark
		elements = { 192.0.2.1 : 0x1 }
	}

	chain input {
		type filter hook input priority filter - 10; policy drop;
		ct state established,related accept
		ct state != { new, invalid } counter packets 1 bytes 60 accept
		iifname $wan tcp dport { 22, 80-90 } accept comment "web"
		tcp flags & (fin | syn | rst | ack) == syn limit rate over 5/minute burst 3 packets drop
		tcp flags syn / fin,syn,rst,ack drop
		ip saddr . tcp dport @allowed counter name "web" accept
		ip saddr 10.0.0.0/8 ip daddr != 192.0.2.0-192.0.2.9 log prefix "x: " level info flags all
		meta mark set meta mark & 0xffffff00 | 0x1
		tcp dport vmap { 1 : jump other, 2 : drop, 3 : return }
		ct helper set "ftp"
		meta hour "17:00"-"18:00" drop
		fib saddr . iif oif missing drop
		ip6 saddr fe80::/10 icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept
		ct original ip saddr 192.0.2.1 quota over 5 mbytes drop
		meta random & 0x7fffffff < 5 queue flags bypass to 1-3
		exthdr frag exists reject with icmpx admin-prohibited
		tcp option maxseg size set 1400
		meta l4proto tcp reject with tcp reset
	}

	chain other {
		goto last
	}

	chain last {
	}
}
table ip nat {
	set seen {
		type ipv4_addr
		flags dynamic,timeout
	}

	chain pre {
		type nat hook prerouting priority dstnat; policy accept;
		tcp dport 80 dnat to 192.0.2.1:8080 random,persistent
		udp dport 53 redirect to :5353
		update @seen { ip saddr timeout 1m limit rate 5/second }
		add @seen { ip saddr ct count over 5 } drop
		meta mark set ip saddr map { 192.0.2.1 : 0x1, 192.0.2.2 : 0x2 }
	}
}
"""


def reading(text: str) -> Reading:
    return read(SourceFile("x", text), Reader(files=NoFiles()))


def test_text_becomes_json_and_text_again() -> None:
    made = to_json(reading(TEXT))
    assert made.holds, (made.lost, made.objection)
    entries = json.loads(made.text)["nftables"]
    assert {"metainfo": {"json_schema_version": 1}} in entries
    (chain,) = (e["chain"] for e in entries if e.get("chain", {}).get("name") == "input")
    assert (chain["hook"], chain["prio"], chain["policy"]) == ("input", -10, "drop")
    again = to_text(reading(made.text))
    assert again.holds, (again.lost, again.objection)
    for line in (
        'iifname { "eth0", "eth1" } tcp dport { 22, 80-90 } accept comment "web"',
        "ct state established,related accept",
        "dnat to 192.0.2.1:8080 random,persistent",
    ):
        assert line in again.text


@pytest.mark.parametrize(
    ("rule", "why"),
    [
        ("jump { drop; }", "jumpblock"),
        ("meter x { ip saddr limit rate 5/second } drop", "meter"),
    ],
)
def test_what_json_has_no_form_for_is_named(rule: str, why: str) -> None:
    text = f"table ip t {{\n chain c {{\n  accept\n  {rule}\n }}\n}}\n"
    made = to_json(reading(text))
    assert not made.holds
    ((path, line, said),) = made.lost[:1]
    assert (path, line) == ("x", 4)
    assert why in said


def test_the_proof_sees_what_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    from iptlint.convert import languages
    from iptlint.dialects.nft_json import listing

    wrong = listing.Listing([{"table": {"family": "ip", "name": "t"}}])
    monkeypatch.setattr(languages, "listing", lambda *_: wrong)
    made = to_json(reading("table ip t {\n chain c {\n  accept\n }\n}\n"))
    assert "would say something else" in made.objection
