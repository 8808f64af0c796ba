"""``iptlint convert --to nft-json`` and back: one file of nft in its other language."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from iptlint.cli import FAILED, streams
from iptlint.cli.readings import complain, read_one

if TYPE_CHECKING:
    from iptlint.cli.budgets import Allowance
    from iptlint.convert.languages import Translated

NOT_PROVED = 1


def translate(
    files: tuple[str, ...], language: str, output_format: str, allowance: Allowance
) -> int:
    """The new text on standard output; what of it is not proved, on standard error."""
    from iptlint.convert.languages import to_json, to_text
    from iptlint.dialects import Reader
    from iptlint.dialects.detect import NFT, NFT_JSON

    if len(files) != 1:
        raise click.UsageError("name one file of nft, or of its JSON")
    reading = read_one(files[0], Reader(), (), allowance)
    wanted, writer = (NFT, to_json) if language == "nft-json" else (NFT_JSON, to_text)
    dialect = reading.ruleset.dialect
    if dialect != wanted:
        raise click.ClickException(
            f"{files[0]} is {dialect}, and {language} is written of {wanted} here"
        )
    if complain(reading):
        return FAILED
    with allowance.for_("to write the new text"):
        translated = writer(reading)
    _print(translated, output_format)
    return 0 if translated.holds else NOT_PROVED


def _print(translated: Translated, output_format: str) -> None:
    if output_format == "json":
        from iptlint.reports.conversion import translation_json

        streams.write_utf8(translation_json(translated))
        return
    streams.write_utf8(translated.text)
    for path, line, why in translated.lost:
        streams.say(f"{streams.printable(f'{path}:{line}: not converted: {why}')}\n")
    if translated.objection:
        streams.say(f"not proved: {streams.printable(translated.objection)}\n")
