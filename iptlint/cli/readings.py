"""Files that a command is about, read; and what was wrong with them, told."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from iptlint.cli import streams
from iptlint.cli.clouds import is_cloud, read_cloud
from iptlint.cli.inputs import read_inputs

if TYPE_CHECKING:
    from iptlint.cli.budgets import Allowance
    from iptlint.dialects import Reader, Reading
    from iptlint.source import SourceFile


def read_one(file: str, reader: Reader, ipsets: Sequence[str], allowance: Allowance) -> Reading:
    """The file's reading, with the sets that other files hold; a click error where one of them
    cannot be read at all, or is no rules: of a text that is not understood nobody can say that it
    lets all packets through. A directory with documents of a cloud is one of them."""
    if is_cloud(file):
        return read_cloud((file,), reader, allowance)
    reading = with_sets(source_of(file, allowance.most_bytes), reader, ipsets, allowance)
    if not reading.ruleset.tables and (errors := _errors(reading)):
        from iptlint.reports.safe import visible

        raise click.ClickException(visible(errors[0]))
    return reading


def refuse_other_family(reading: Reading, reader: Reader) -> None:
    """Where a packet of the stated family is asked of rules that say themselves that they are for
    the other one, as rules.v4: they would be read as rules that nobody has."""
    from iptlint.dialects.detect import IPTABLES_SAVE
    from iptlint.dialects.iptables.parsing.guess_family import Families
    from iptlint.model import IP_VERSIONS

    source, stated = reading.ruleset.source, reader.family
    if stated is None or reading.ruleset.dialect != IPTABLES_SAVE:
        return
    told = Families(source, None).told()
    if told and stated not in told:
        (other,) = told
        wanted = IP_VERSIONS[stated]
        raise click.UsageError(
            f"{source.path} has rules for {IP_VERSIONS[other]}; none for {wanted} were "
            f"given: name what `{'ip6' if wanted == 'IPv6' else 'ip'}tables-save` prints"
        )


def with_sets(
    source: SourceFile, reader: Reader, ipsets: Sequence[str], allowance: Allowance
) -> Reading:
    from iptlint.dialects import read
    from iptlint.dialects.sets import read_sets, together

    texts = [source_of(file, allowance.most_bytes) for file in ipsets]
    with allowance.for_(f"to read {source.path}"):
        sets = [read_sets(text) for text in texts]
        (reading, *others), _ = together([read(source, reader), *sets])
    unread = [diagnostic for other in others for diagnostic in _errors(other)]
    if unread:
        raise click.ClickException("; ".join(unread))
    return reading


def source_of(file: str, most_bytes: int) -> SourceFile:
    inputs = read_inputs((file,), most_bytes)
    if inputs.complaints:
        raise click.ClickException("; ".join(inputs.complaints))
    if len(inputs.sources) != 1:
        raise click.UsageError(f"{file} holds several firewall files; name one")
    return inputs.sources[0]


def complain(reading: Reading) -> bool:
    """Tells what could not be read, and whether there was any of it."""
    complaints = _errors(reading)
    streams.complain(*complaints)
    return bool(complaints)


def _errors(reading: Reading) -> list[str]:
    from iptlint.model.quotes import shortened

    return [
        f"{source.path}:{source.line_of(diagnostic.start)}: {shortened(diagnostic.message)}"
        + (f" ({diagnostic.help})" if diagnostic.help else "")
        for diagnostic in reading.diagnostics
        if diagnostic.severity == "error"
        and (source := diagnostic.source or reading.ruleset.source)
    ]
