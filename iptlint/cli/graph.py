"""``iptlint graph FILE…``: hooks, chains, sets and translations as a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from iptlint.cli import FAILED, options, streams
from iptlint.cli.budgets import Allowance, limits
from iptlint.cli.packet_options import packet_fields, packet_options
from iptlint.cli.readings import complain, read_one, refuse_other_family
from iptlint.cli.scripts import script_options, script_reader
from iptlint.cli.trace import families, traces_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from iptlint.analysis.graph import Graph, Way
    from iptlint.dialects import Reader
    from iptlint.model import Ruleset

FORMATS = ("svg", "dot", "mermaid", "json")


@click.command(name="graph", options_metavar="[OPTION…]")
@click.argument("files", nargs=-1, required=True, metavar="FILE…")
@click.option(
    "--output-format",
    type=click.Choice(FORMATS),
    default="svg",
    show_default=True,
    help="A picture, or what Graphviz, Mermaid or a program makes of it.",
)
@click.option(
    "--trace",
    "with_trace",
    is_flag=True,
    help="Draw the way of a packet in it: the one that the options below say, as of `trace`.",
)
@click.option(
    "--most",
    type=click.IntRange(min=1),
    metavar="N",
    help="Of more chains than this, those whose names are alike are drawn as one. [default: 80]",
)
@packet_options
@options.host_addresses
@options.family
@options.ipsets
@options.includes
@script_options
@limits
def command(files: tuple[str, ...], allowance: Allowance, **given: Any) -> int:
    """Draw which chains the hooks ask, in order, and which chains call which.

    All FILEs go into one picture, which is printed. Numbers tell how many rules a line stands for.
    With --trace, or any option that says something of a packet, its way is marked: without
    --ct-state that of the first packet of a connection.
    """
    from iptlint.analysis.graph import MOST, graph

    reader = script_reader(options.reader_of(given), given)
    readings = [read_one(file, reader, given["ipsets"], allowance) for file in files]
    if len(readings) == 1:
        refuse_other_family(readings[0], reader)
    rulesets = [reading.ruleset for reading in readings]
    with allowance.for_("to draw the picture; name fewer files, or only a packet with `trace`"):
        drawn = graph(rulesets, given["most"] or MOST)
        way, note = _way(drawn, rulesets, reader, given)
        text = _written(given["output_format"], drawn, way, note)
    streams.write_utf8(text)
    unread = [complain(reading) for reading in readings]
    return FAILED if any(unread) else 0


def _way(
    drawn: Graph, rulesets: Sequence[Ruleset], reader: Reader, given: dict[str, Any]
) -> tuple[Way | None, str]:
    """The way of most of the packets that are asked for, and a sentence that says so."""
    from iptlint.analysis.graph import usual_outcome
    from iptlint.model.host_addresses import with_own
    from iptlint.reports.places import verdict
    from iptlint.reports.trace import head

    fields = packet_fields(given)
    if not given["with_trace"] and all(value is None for value in fields.values()):
        return None, ""
    fields["ct_state"] = fields["ct_state"] or "new"
    if fields["proto"] == "tcp" and fields["ct_state"] == "new" and fields["tcp_flags"] is None:
        fields["tcp_flags"] = ("syn",)
    for ruleset in rulesets:
        own = given["host_addresses"]
        addresses = with_own(own, ruleset) if own else None
        chosen = families(ruleset, reader, fields)[:1]
        for traced in traces_of(ruleset, chosen, fields, addresses):
            if traced.outcomes:
                usual, number = usual_outcome(traced), len(traced.outcomes)
                more = f"; the way of most packets, of {number} that there are"
                note = f"{head(usual)}{more if number > 1 else ''}"
                return drawn.way(usual.steps, verdict(usual.kind)), note
    return None, "no packet is like that here"


def _written(name: str, drawn: Graph, way: Way | None, note: str) -> str:
    match name:
        case "dot":
            from iptlint.reports.graph.dot import dot

            return dot(drawn, way, note)
        case "mermaid":
            from iptlint.reports.graph.mermaid import mermaid

            return mermaid(drawn, way, note)
        case "json":
            from iptlint.reports.graph.data import graph_json

            return graph_json(drawn, way, note)
        case _:
            from iptlint.reports.graph.svg import svg

            return svg(drawn, way, note)
