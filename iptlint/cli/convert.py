"""``iptlint convert FILE…``: rules of iptables as one file of nft, proved."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from iptlint.cli import FAILED, options, streams
from iptlint.cli.budgets import Allowance, CutShortError, limits
from iptlint.cli.convert_nft import translate
from iptlint.cli.inputs import STDIN, read_inputs
from iptlint.cli.readings import complain, source_of

if TYPE_CHECKING:
    from iptlint.convert.conversion import Conversion
    from iptlint.dialects import Reading
    from iptlint.model import Ruleset
    from iptlint.model.sets import SavedSets
    from iptlint.source import SourceFile

NOT_PROVED = 1


@click.command(name="convert", options_metavar="[OPTION…]")
@click.argument("files", nargs=-1, required=True, metavar="FILE…")
@click.option(
    "--to",
    "language",
    type=click.Choice(["nft", "nft-json"]),
    default="nft",
    show_default=True,
    help="What is written. Files of nft become its JSON, JSON its text.",
)
@click.option("--counters", is_flag=True, help="Every rule counts, as those of iptables do.")
@click.option(
    "--ignore-chains",
    metavar="PATTERN",
    multiple=True,
    help="Leave out the chains with such names, and what calls them (DOCKER*).",
)
@options.output_format
@options.family
@options.ipsets
@limits
def command(
    files: tuple[str, ...],
    language: str,
    counters: bool,
    ignore_chains: tuple[str, ...],
    output_format: str,
    family: str | None,
    ipsets: tuple[str, ...],
    allowance: Allowance,
) -> int:
    """Write what FILE… of iptables-save and ip6tables-save say as one file for `nft -f`; or a file
    of nft as its JSON (--to nft-json), and such JSON as text.

    The text goes to standard output, what of it is not proved to standard error. The exit status
    is 0 where every rule is converted and proved to do the same with every packet, 1 where one is
    not, 2 where a file cannot be read.
    """
    from iptlint.convert.conversion import converted
    from iptlint.convert.text import Style

    if language == "nft-json" or _is_json(files, allowance):
        return translate(files, language, output_format, allowance)
    readings, sets = _read(files, ipsets, family, allowance)
    olds = [_without(reading, ignore_chains) for reading in readings]
    with allowance.for_("to convert the rules"):
        heading = _heading(readings)
        conversion = converted(olds, sets, Style(counters), heading)
    _compare_wholes(conversion, allowance)
    _print(conversion, output_format)
    unread = [complain(reading) for reading in readings]
    if any(unread):
        return FAILED
    return 0 if conversion.holds else NOT_PROVED


def _is_json(files: tuple[str, ...], allowance: Allowance) -> bool:
    """Standard input is read once: only its first file may be JSON."""
    if files == (STDIN,):
        return False
    from iptlint.dialects.detect import NFT_JSON, detect

    inputs = read_inputs(files, allowance.most_bytes)
    return any(detect(source).name == NFT_JSON for source in inputs.sources)


def _read(
    files: tuple[str, ...], ipsets: tuple[str, ...], family: str | None, allowance: Allowance
) -> tuple[list[Reading], SavedSets | None]:
    """The rulesets, and the sets that they look into."""
    from iptlint.dialects import Reader, read
    from iptlint.dialects.files import NoFiles
    from iptlint.dialects.sets import read_sets, together

    inputs = read_inputs(files, allowance.most_bytes)
    if inputs.complaints:
        raise click.ClickException("; ".join(inputs.complaints))
    reader = Reader(options.family_of(family), NoFiles())
    texts = [source_of(file, allowance.most_bytes) for file in ipsets]
    with allowance.for_("to read the files"):
        readings = [read(source, reader) for source in inputs.sources]
        all_readings, sets = together([*readings, *map(read_sets, texts)])
    rules = [reading for reading in all_readings if reading.ipset is None]
    _refuse_others(rules)
    return rules, sets


_INSTEAD = {
    "nft": "; --to nft-json writes its JSON",
    "nft-json": "; its text is written where it is a file, and not standard input",
}


def _refuse_others(readings: list[Reading]) -> None:
    from iptlint.dialects.detect import IPTABLES_S, IPTABLES_SAVE, SCRIPT

    if not readings:
        raise click.ClickException("there are only sets in what was given: name the rules, too")
    seen: dict[tuple[str, str], SourceFile] = {}
    for reading in readings:
        source, dialect = reading.ruleset.source, reading.ruleset.dialect
        if dialect == SCRIPT:
            raise click.ClickException(
                f"{source.path} is a script: run it, and convert what `iptables-save` and "
                "`ip6tables-save` print then"
            )
        if dialect not in (IPTABLES_S, IPTABLES_SAVE):
            more = _INSTEAD.get(dialect, "")
            raise click.ClickException(
                f"{source.path} is not what `iptables-save` prints ({dialect}){more}"
            )
        for table in reading.ruleset.tables:
            other = seen.setdefault((table.family.value, table.name), source)
            if other is not source:
                raise click.ClickException(
                    f"{source.path} and {other.path} both have a table {table.name} for "
                    f"{table.family.value}: name one of them, or say --family"
                )


def _without(reading: Reading, patterns: tuple[str, ...]) -> Ruleset:
    from iptlint.model.edits import without_chains

    return without_chains(reading.ruleset, patterns)


def _heading(readings: list[Reading]) -> list[str]:
    names = ", ".join(streams.printable(reading.ruleset.source.path) for reading in readings)
    return [f"From {names}, by `iptlint convert`."]


def _compare_wholes(conversion: Conversion, allowance: Allowance) -> None:
    """Each rule is proved by then, so that what is cut here is the second proof."""
    from iptlint.convert.conversion import compare_wholes

    try:
        with allowance.for_("to follow all packets through both firewalls"):
            compare_wholes(conversion)
    except CutShortError as error:
        conversion.whole = f"not compared as a whole: {error.message}"


def _print(conversion: Conversion, output_format: str) -> None:
    from iptlint.convert.notes import notes
    from iptlint.reports.conversion import conversion_json, conversion_text

    said = list(notes(conversion.tables))
    if output_format == "json":
        streams.write_utf8(conversion_json(conversion, said))
    else:
        streams.write_utf8(conversion.source.text)
        streams.say(conversion_text(conversion, said))
