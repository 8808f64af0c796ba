"""What the words of a script say besides its commands: dialects/script/hints.py."""

from __future__ import annotations

import pytest

from iptlint.dialects.script.hints import Hints
from iptlint.source import SourceFile, Span


@pytest.mark.parametrize(
    ("path", "text", "provided"),
    [
        ("firewall.sh", "iptables -F", False),
        ("firewall.sh", "iptables -F\n# then: netfilter-persistent save", True),
        ("firewall.sh", "# run by cron, @reboot\niptables -F", True),
        ("firewall.sh", 'case "$1" in\nstart) up ;;\nstop) down ;;\nesac', True),
        ("firewall.sh", "trap down EXIT\niptables -F", True),
        ("fw.sh", "# Default deny for a build container\niptables -F", True),
        ("fw.sh", "# Runs inside each of our containers.\niptables -F", True),
        ("fw.sh", "# NAT for a container network\niptables -F", False),
        ("fw.sh", "# Run this on the host of the container\niptables -F", False),
        ("fw.sh", "iptables -F\niptables -A OUTPUT -d 127.0.0.11 -j ACCEPT", True),
        ("up.sh", "# called with: dev tun_mtu link_mtu local remote init\niptables -F", True),
        ("/etc/network/if-up.d/firewall", "iptables -F", True),
    ],
)
def test_whether_somebody_has_thought_of_the_next_boot(
    path: str, text: str, provided: bool
) -> None:
    assert Hints(SourceFile(path, text)).is_provided_for() is provided


def test_commands_that_are_not_asked_are_left_out_with_their_line() -> None:
    saving = "iptables-save > /etc/iptables/rules.v4"
    source = SourceFile("firewall.sh", f"iptables -F\n{saving}\niptables -P INPUT DROP\n{saving}")
    first, last = source.text.index(saving), source.text.rindex(saving)
    spans = [Span(source, start, start + len("iptables-save")) for start in (last, first)]
    assert Hints(source).is_provided_for()
    assert Hints(source).is_provided_for(spans[:1])
    assert not Hints(source).is_provided_for(spans)


def test_a_program() -> None:
    assert Hints(SourceFile("x", "#!/bin/sh\n")).is_program
    assert not Hints(SourceFile("x", "iptables -F\n")).is_program


@pytest.mark.parametrize(
    ("between", "waits"),
    [
        ("read -r ok\n", True),
        ("while read -r p; do\n:\ndone <ports\n", False),
        ("sleep 5\n", True),
        ("# sleep 5\n", False),
        ("modprobe ip_tables\n", False),
    ],
)
def test_what_takes_its_time(between: str, waits: bool) -> None:
    first, last = "iptables -P INPUT DROP", "iptables -A INPUT -j ACCEPT"
    source = SourceFile("x", f"{first}\n{between}{last}\n")
    start = Span(source, 0, len(first))
    end = Span(source, source.text.index(last), len(source.text))
    assert Hints(source).waits(start, end) is waits


@pytest.mark.parametrize(
    ("text", "shows"),
    [
        ("sysctl -w net.bridge.bridge-nf-call-iptables=1", True),
        ("sysctl net/bridge/bridge-nf-call-ip6tables = 1", True),
        ("echo 1 > /proc/sys/net/bridge/bridge-nf-call-iptables", True),
        ("sysctl -w net.bridge.bridge-nf-call-iptables=0", False),
        ("# sysctl -w net.bridge.bridge-nf-call-iptables=1", False),
        ("sysctl -w net.bridge.bridge-nf-call-arptables=1", False),
    ],
)
def test_whether_what_is_bridged_is_shown_to_iptables(text: str, shows: bool) -> None:
    assert Hints(SourceFile("x", f"#!/bin/sh\n{text}\n")).shows_bridged is shows
