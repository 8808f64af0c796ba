"""Packets that are lost because nobody tracks them."""

from __future__ import annotations

import pytest

from iptlint.analysis.nat import destination_nats
from iptlint.analysis.untracked import untracked_before, untracked_losses
from iptlint.model import Hook
from tests.firewalls import hooks_of, saved

NOTRACK = saved("-A PREROUTING -p udp -m udp --dport 53 -j CT --notrack", table="raw")


@pytest.mark.parametrize(
    ("state", "lost"), [("NEW", [(Hook.INPUT, "new")]), ("NEW,UNTRACKED", []), ("UNTRACKED", [])]
)
def test_an_untracked_packet_is_never_new(state: str, lost: list[tuple[Hook, str]]) -> None:
    """nf_conntrack_in leaves what NOTRACK marked alone: its state is untracked."""
    accept = f"-A INPUT -p udp -m udp --dport 53 -m conntrack --ctstate {state} -j ACCEPT"
    hooks = hooks_of(NOTRACK + saved(accept, policy="DROP"))
    losses = [loss for loss in untracked_losses(hooks) if loss.hook is Hook.INPUT]
    assert [(loss.hook, loss.state) for loss in losses] == lost


@pytest.mark.parametrize(
    ("named", "lost"), [("INVALID,UNTRACKED", False), ("UNTRACKED", False), ("", True)]
)
def test_what_is_denied_by_name_is_denied_on_purpose(named: str, lost: bool) -> None:
    state = f"-m conntrack --ctstate {named} " if named else ""
    accept = "-A INPUT -p udp -m udp --dport 53 -m conntrack --ctstate NEW -j ACCEPT"
    rules = saved(accept, f"-A INPUT {state}-j DROP", policy="DROP" if named else "ACCEPT")
    losses = untracked_losses(hooks_of(NOTRACK + rules))
    assert any(loss.hook is Hook.INPUT for loss in losses) is lost


def test_without_notrack_nothing_is_lost() -> None:
    accept = "-A INPUT -p udp -m udp --dport 53 -m conntrack --ctstate NEW -j ACCEPT"
    assert not [*untracked_losses(hooks_of(saved(accept, policy="DROP")))]


@pytest.mark.parametrize(("source", "found"), [("", 1), ("-s 203.0.113.0/24 ", 0)])
def test_what_is_not_tracked_never_comes_to_a_translation(source: str, found: int) -> None:
    """nf_nat_inet_fn lets a packet without a connection go on before it asks any chain."""
    raw = saved(f"-A PREROUTING {source}-p tcp -m tcp --dport 80 -j CT --notrack", table="raw")
    nat = saved(
        "-A PREROUTING -p tcp -m tcp --dport 80 -j DNAT --to-destination 10.0.0.5", table="nat"
    )
    hooks = hooks_of(raw + nat)
    (translation,) = destination_nats(hooks)
    packets = translation.setting_out(hooks, Hook.FORWARD)
    assert len(untracked_before(hooks, Hook.FORWARD, packets, translation.rule)) == found


def test_what_another_translation_takes_is_not_lost_for_want_of_tracking() -> None:
    """All packets are tracked, so that the rule meets none has another cause."""
    raw = saved("-A PREROUTING -p tcp -m tcp --dport 81 -j CT --notrack", table="raw")
    nat = saved(
        "-A PREROUTING -p tcp -m tcp --dport 80 -j DNAT --to-destination 10.0.0.5",
        "-A PREROUTING -p tcp -m tcp --dport 80:81 -j DNAT --to-destination 10.0.0.6",
        table="nat",
    )
    hooks = hooks_of(raw + nat)
    _, second = destination_nats(hooks)
    packets = second.setting_out(hooks, Hook.FORWARD)
    assert untracked_before(hooks, Hook.FORWARD, packets, second.rule) == ()
