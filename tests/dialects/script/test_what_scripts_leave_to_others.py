"""What a script of a stranger leaves to its environment, to a service or to a file elsewhere."""

from __future__ import annotations

import pytest

from iptlint.dialects.detect import detect
from iptlint.dialects.diagnostics import Diagnostic
from iptlint.dialects.readers import read
from iptlint.source import SourceFile


def _told(text: str) -> tuple[Diagnostic, ...]:
    return read(SourceFile("fw.sh", text)).diagnostics


@pytest.mark.parametrize("first", ["#!/usr/sbin/nft -f", "#! /usr/bin/env -S nft -f"])
def test_the_first_line_says_who_reads_a_file(first: str) -> None:
    """The kernel hands it to nft, as execve(2) says, though it is called `nftables.sh`."""
    source = SourceFile("nftables.sh", f"{first}\nflush ruleset\ntable inet f {{\n}}\n")
    assert detect(source).name == "nft"
    assert not read(source).diagnostics


@pytest.mark.parametrize("itself", ["$LAN", "${LAN}", '"$LAN"', '"${LAN}"'])
def test_a_variable_that_is_given_itself_comes_from_outside(itself: str) -> None:
    """bash: `LAN=eth0 sh -c 'LAN="$LAN"; echo $LAN'` prints eth0."""
    rule = "iptables -A FORWARD -i $LAN -j ACCEPT\n"
    assert not _told(f"LAN={itself}\n{rule}")
    assert [each.code for each in _told(f"LAN=\n{rule}")] == ["IPT001"]
    assert [each.code for each in _told(f"LAN=\nLAN={itself}\n{rule}")] == ["IPT001"]


@pytest.mark.parametrize(
    "command",
    [
        "service iptables stop",
        "systemctl disable --now nftables.service",
        "sudo service ip6tables restart",
    ],
)
def test_a_service_of_the_firewall_changes_it(command: str) -> None:
    """Whatever it loads or takes away: that nothing changes the firewall would not be so."""
    (told,) = _told(f"#!/bin/sh\n{command}\n")
    assert "only says what becomes of the service" in told.message
    (other,) = _told("#!/bin/sh\nsystemctl status iptables\n")
    assert "only says" not in other.message


def test_who_carries_commands_out_may_be_defined_elsewhere() -> None:
    """`run` is a function of a file that is not here."""
    text = '#!/bin/sh\nsource "$(dirname "$0")/../lib/functions.sh"\nrun "iptables -F"\n'
    (told,) = _told(text)
    assert told.message.startswith("`functions.sh`, whose functions this script takes, is not read")
    (own,) = _told('#!/bin/sh\nrun "iptables -F"\n')
    assert "functions this script takes" not in own.message
