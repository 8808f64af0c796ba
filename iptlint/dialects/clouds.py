"""Documents of clouds: which texts are some, and several of one network as one.

Another cloud is a folder of its own beside ``aws/``, a row in ``detect.LANGUAGES`` for each of its
documents, and one in ``CLOUDS``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from iptlint.dialects.detect import AWS_JSON, CLOUDFORMATION, TERRAFORM, detect
from iptlint.dialects.diagnostics import Diagnostic
from iptlint.dialects.iptables.syntax import IPTABLES
from iptlint.dialects.reading import Reading
from iptlint.model import Ruleset
from iptlint.model.cloud import Cloud, joined
from iptlint.model.cloud_chains import tables_of
from iptlint.source import SourceFile

CLOUDS = (AWS_JSON, CLOUDFORMATION, TERRAFORM)
"""The languages whose texts are documents of a cloud."""


def is_of_cloud(source: SourceFile) -> bool:
    return detect(source).name in CLOUDS


def reading_of(
    source: SourceFile, dialect: str, cloud: Cloud, diagnostics: Sequence[Diagnostic]
) -> Reading:
    """One document, with the chains that its filters are."""
    tables = tables_of(cloud)
    return Reading(Ruleset(source, dialect, IPTABLES, tables, cloud=cloud), tuple(diagnostics))


def apart(sources: Sequence[SourceFile]) -> list[tuple[SourceFile, ...]]:
    """The files of a host, and the documents of the cloud around it: packets meet both, one after
    the other, and each calls its interfaces by names of its own."""
    documents = tuple(source for source in sources if is_of_cloud(source))
    others = tuple(source for source in sources if source not in documents)
    return [several for several in (others, documents) if several]


def together(readings: Sequence[Reading]) -> list[Reading]:
    """Where several are documents of a cloud, the first of them has the chains of all."""
    documents = [each for each in readings if each.ruleset.cloud is not None]
    if len(documents) < 2:
        return [*readings]
    first = next((each for each in documents if each.ruleset.tables), documents[0])
    whole = one_of(documents).ruleset
    return [_of_whole(each, first, whole) for each in readings]


def _of_whole(reading: Reading, first: Reading, whole: Ruleset) -> Reading:
    ruleset = reading.ruleset
    if ruleset.cloud is None:
        return reading
    tables = whole.tables if reading is first else ()
    return replace(reading, ruleset=replace(ruleset, tables=tables))


def one_of(readings: Sequence[Reading]) -> Reading:
    """Several documents of one network as one: groups and lists that one names and another holds
    are resolved. Of the first source."""
    if len(readings) == 1:
        return readings[0]
    first = readings[0].ruleset
    cloud = joined(each.ruleset.cloud or Cloud() for each in readings)
    diagnostics = [
        replace(diagnostic, source=diagnostic.source or each.ruleset.source)
        for each in readings
        for diagnostic in each.diagnostics
    ]
    ruleset = replace(first, tables=tables_of(cloud), cloud=cloud)
    return Reading(ruleset, tuple(diagnostics))
