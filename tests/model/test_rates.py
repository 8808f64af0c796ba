"""What lets some packets through, and not others like them."""

from __future__ import annotations

import pytest

import iptlint
from iptlint.model.rates import some_ask_a_rate
from tests.firewalls import hooked, saved


@pytest.mark.parametrize(
    ("text", "asks"),
    [
        (saved("-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT"), False),
        (saved("-A INPUT -m conntrack --ctstate NEW -m recent --set --name x -j ACCEPT"), False),
        (saved("-A INPUT -m limit --limit 5/min -j ACCEPT"), True),
        (saved("-A INPUT -p tcp -m connlimit --connlimit-above 3 -j DROP"), True),
        (hooked("tcp dport 22 accept"), False),
        (hooked("tcp dport 22 limit rate 3/minute accept"), True),
        (hooked("ct count over 3 drop"), True),
        (hooked("meter m { ip saddr limit rate over 3/second } drop"), True),
    ],
)
def test_a_rule_asks_a_rate(text: str, asks: bool) -> None:
    assert some_ask_a_rate(iptlint.read(text)) is asks
