"""This host, for commands that compare its running rules with others or change them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from iptlint.analysis.running_session import SessionFate
    from iptlint.apply.new_files import NewFile
    from iptlint.dialects import Reader
    from iptlint.host.gathered import Gathered
    from iptlint.model import Ruleset
    from iptlint.model.host import Facts, SshSession
    from iptlint.model.host_addresses import HostAddresses
    from iptlint.source import SourceFile


def need_root(what: str) -> None:
    """One line for who is not; ``what`` only root can do."""
    if hasattr(os, "geteuid") and os.geteuid() != 0:
        command = f"iptlint {click.get_current_context().info_name}"
        raise click.ClickException(f"only root can {what}: use sudo, as in `sudo {command} …`")


@dataclass(frozen=True, slots=True)
class Here:
    """``running``: all rules that the kernel has."""

    gathered: Gathered
    running: Ruleset
    facts: Facts

    @property
    def addresses(self) -> HostAddresses | None:
        from iptlint.model.host_addresses import known_of

        return known_of(self.facts)


def here() -> Here:
    """A click error where not all rules can be read."""
    from iptlint.cli.live import gathered_here
    from iptlint.host.examine import examine

    need_root("read the running rules")
    gathered = gathered_here()
    host = examine(gathered).host
    if host.running is None:
        why = "; ".join(f"{each.what}: {each.why}" for each in host.unread)
        raise click.ClickException(f"the running rules are not known as a whole; {why}")
    return Here(gathered, host.running, host.facts)


def read_new(sources: Sequence[SourceFile], reader: Reader) -> list[NewFile]:
    """A click error for what no tool loads."""
    from iptlint.apply.new_files import NoSuchFileError, new_files

    try:
        return new_files(sources, reader)
    except NoSuchFileError as error:
        raise click.ClickException(str(error)) from None


def rules_after(host: Here, files: Sequence[NewFile], reader: Reader) -> Ruleset:
    """What the host will have; a click error where that cannot be told."""
    from iptlint.apply.after import UntoldError, after

    try:
        return after(host.gathered, files, reader)
    except UntoldError as error:
        raise click.ClickException(f"what would run then cannot be told: {error}") from None


Session = tuple["SshSession", "SessionFate"]


def own_session(host: Here, new: Ruleset) -> Session | None:
    """What becomes of the SSH session that this is typed in; None outside of any."""
    from iptlint.analysis.running_session import session_fate, tracks
    from iptlint.host.ssh_session import ssh_session
    from iptlint.packets.packet import Packet

    session = ssh_session()
    if session is None:
        return None
    packet = Packet(
        family=session.family,
        iif=_interface_of(host.facts, session.server),
        saddr=session.client,
        daddr=session.server,
        proto="tcp",
        sport=session.client_port,
        dport=session.server_port,
    )
    return session, session_fate(new, packet, host.addresses, tracked=tracks(host.running))


def _interface_of(facts: Facts, address: str) -> str | None:
    """The one that has the address; None where none has it, or several have."""
    names = {one.interface for one in facts.addresses or () if str(one.address.ip) == address}
    return names.pop() if len(names) == 1 else None
