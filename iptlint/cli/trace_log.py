"""``iptlint trace FILE --log KERN.LOG``: which rule wrote each line of the kernel's log."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from iptlint.cli import streams
from iptlint.cli.budgets import Allowance
from iptlint.cli.readings import source_of

if TYPE_CHECKING:
    from iptlint.model import Ruleset
    from iptlint.model.host_addresses import HostAddresses
    from iptlint.reports.logged import Log


_TYPED = click.core.ParameterSource.COMMANDLINE
_OF_A_PACKET = frozenset(
    (
        *("hook", "iif", "oif", "saddr", "daddr", "proto", "sport", "dport", "icmp_type"),
        *("icmp_code", "tcp_flags", "ct_state", "mark", "reply"),
    )
)


def refuse_beside(log: str, file: str | None) -> None:
    """A line of the log says itself what its packet is; UsageError for what says otherwise."""
    context = click.get_current_context()
    if file == log:
        raise click.UsageError("the rules and the log would both be read from the same file")
    for param in context.command.params:
        is_typed = context.get_parameter_source(param.name or "") is _TYPED
        if param.name in _OF_A_PACKET and is_typed:
            raise click.UsageError(f"{param.opts[0]} is said by each line of the log")


def tell_of_log(
    path: str,
    ruleset: Ruleset,
    addresses: HostAddresses | None,
    allowance: Allowance,
    output_format: str,
    *,
    everything: bool,
) -> None:
    """Prints who wrote the lines; a click error where none of them shows a packet."""
    from iptlint.reports.logged import log_json, log_text

    text = source_of(path, allowance.most_bytes).text
    with allowance.for_(f"to read {path}; give a part of it"):
        log = _read(path, text, ruleset, addresses)
    if not log.written:
        raise click.ClickException(
            f"{path}: no line shows a packet, as in `… kernel: PREFIX IN=eth0 OUT= … PROTO=TCP`; "
            "`journalctl --dmesg` or `dmesg` prints them"
        )
    if output_format == "json":
        streams.write_utf8(log_json(log))
    else:
        streams.write(log_text(log, everything=everything))


def _read(path: str, text: str, ruleset: Ruleset, addresses: HostAddresses | None) -> Log:
    from iptlint.analysis.logged import LogReader
    from iptlint.packets.log_line import log_lines
    from iptlint.reports.logged import Log

    reader = LogReader(ruleset, addresses)
    written, others = [], []
    for line in log_lines(text):
        if isinstance(line, int):
            others.append(line)
        else:
            written.append(reader.read(line))
    return Log(path, written, others)
