"""What an entry of a cloud's filter says, in words."""

from __future__ import annotations

import pytest

from iptlint.analysis.cloud_words import traffic_in_words
from iptlint.model.cloud import Traffic
from iptlint.model.protocols import ICMP, ICMP6, TCP


@pytest.mark.parametrize(
    ("traffic", "words"),
    [
        (Traffic(), "all traffic"),
        (Traffic(ICMP, None, 8), "icmp echo-request"),
        (Traffic(ICMP6, None, 128), "ipv6-icmp echo-request"),
        (Traffic(ICMP, None, 77), "icmp type 77"),
        (Traffic(ICMP), "icmp"),
        (Traffic(TCP, (443, 443)), "tcp port 443"),
        (Traffic(TCP, (0, 65535)), "tcp, any port"),
        (Traffic(TCP, (80, 81)), "tcp ports 80-81"),
        (Traffic(TCP, (443, 443), 8), "tcp port 443"),
        (Traffic(253), "protocol 253"),
    ],
)
def test_traffic(traffic: Traffic, words: str) -> None:
    assert traffic_in_words(traffic) == words
