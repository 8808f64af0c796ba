"""Rules of long chains that need not be followed."""

from __future__ import annotations

import iptlint
from iptlint.netfilter.skimming import doing_no_more
from tests.firewalls import saved


def test_which_rules_of_a_long_chain_do_no_more_than_others() -> None:
    """One that could not be read may do anything, and so many of them no more than the first ones;
    one that lets all packets go on does nothing at all."""
    unread = ["-A INPUT --foo bar ! -j"] * 10
    rules = (*unread, "-A INPUT -s 192.0.2.1", "-A INPUT -j LOG", "-A INPUT -j DROP", *unread)
    chain = iptlint.read(saved(*rules)).tables[0].chains["INPUT"]
    assert doing_no_more(chain) == {8, 9, 10, 21, 22}
