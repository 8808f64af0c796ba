"""Options that several commands share, and how their values are read."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from iptlint.dialects import Reader
    from iptlint.linter.report import Report
    from iptlint.model import Family

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]

_FAMILIES = {"ip": "ip", "4": "ip", "ipv4": "ip", "ip6": "ip6", "6": "ip6", "ipv6": "ip6"}

PROFILES = ("default", "strict", "cis")
THRESHOLDS = ("error", "warning", "info", "never")


@dataclass(frozen=True, slots=True)
class Asked:
    """What the command line says of how to lint. ``ssh_ports`` empty: as the host says."""

    output_format: str
    select: Sequence[str]
    ignore: Sequence[str]
    profile: str
    fail_on: str
    ssh_ports: tuple[int, ...]
    management_networks: tuple[IPv4Network | IPv6Network, ...]


def comma_list(name: str, read: Callable[[str], object], **more: Any) -> Decorator:
    """An option whose value is a list with commas; ``read`` refuses an item by ValueError."""

    def convert(ctx: click.Context, param: click.Parameter, value: str) -> tuple[object, ...]:
        try:
            return tuple(read(item.strip()) for item in value.split(",") if item.strip())
        except ValueError as error:
            raise click.BadParameter(str(error), ctx, param) from None

    return click.option(name, callback=convert, **{"default": "", "metavar": "LIST", **more})


def port(text: str) -> int:
    from iptlint.model.numbers import decimal

    number = decimal(text)
    if number is None or not 1 <= number <= 65535:
        raise ValueError(f"{text!r} is not a port from 1 to 65535")
    return number


def network(text: str) -> IPv4Network | IPv6Network:
    try:
        wide = ip_network(text, strict=False)
    except ValueError:
        raise ValueError(f"{text!r} is not a network such as 10.0.0.0/8 or fd00::/8") from None
    try:
        return ip_network(text)
    except ValueError:
        raise ValueError(f"{text!r} has host bits set (did you mean {wide}?)") from None


def host_addresses(function: Callable[..., Any]) -> Callable[..., Any]:
    decorate = comma_list(
        "--host-addresses",
        network,
        metavar="ADDRESS[,…]",
        help="All addresses of the host. What is sent to others is forwarded.",
    )
    return decorate(function)


def family_of(word: str | None) -> Family | None:
    from iptlint.model import Family

    return Family(_FAMILIES[word]) if word else None


def reader_of(family: str | None, include_dirs: Sequence[str], *, no_include: bool) -> Reader:
    """How the files of a command are to be read."""
    from iptlint.dialects import Reader
    from iptlint.dialects.files import LocalFiles, NoFiles

    files = NoFiles() if no_include else LocalFiles(tuple(include_dirs))
    return Reader(family_of(family), files)


def use_colour() -> bool:
    """On a terminal, unless NO_COLOR says otherwise (https://no-color.org)."""
    wanted = not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    return wanted and sys.stdout is not None and sys.stdout.isatty()


def printable(text: str) -> str:
    """A path or message in which nothing speaks to the terminal."""
    from iptlint.reports.safe import visible

    return visible(text)


def write(text: str) -> None:
    """Text for people: in the encoding of the terminal."""
    click.echo(text, nl=False, color=True)


def write_json(text: str) -> None:
    """JSON is UTF-8, whatever the locale (RFC 8259)."""
    click.echo(text.encode(), nl=False)


output_format: Decorator = click.option(
    "--output-format",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="How to print the answer.",
)


def includes(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options about what else the files lead to."""
    return _include_dirs(_no_include(command))


_include_dirs: Decorator = click.option(
    "--include-dir",
    "include_dirs",
    multiple=True,
    metavar="DIR",
    help="Searched for what nft files include, before /etc, and for what scripts read. May be "
    "given again.",
)
_no_include: Decorator = click.option(
    "--no-include",
    is_flag=True,
    help="Read no file but those that are named here, whatever they include.",
)

ipsets: Decorator = click.option(
    "--ipset",
    "ipsets",
    multiple=True,
    metavar="FILE",
    help="What `ipset save` printed: the sets that rules test. May be given again.",
)


def limits(command: Callable[..., Any]) -> Callable[..., Any]:
    """What the command may take; ``budget_of`` makes a budget of them."""
    for option in reversed(_LIMITS):
        command = option(command)
    return command


def _limit(name: str, default: float, help: str) -> Decorator:
    kind = click.FloatRange(min=0.1) if name == "--timeout" else click.IntRange(min=1)
    return click.option(name, type=kind, default=default, show_default=True, help=help)


_LIMITS = (
    _limit("--timeout", 60, "Seconds for each file; what is not done by then is left out."),
    _limit("--max-memory", 2048, "MiB; what needs more is left out."),
    _limit("--max-findings", 1000, "Show no more than the gravest so many."),
    _limit("--max-bytes", 64 << 20, "A longer file is not read."),
)

family: Decorator = click.option(
    "--family",
    type=click.Choice(list(_FAMILIES)),
    metavar="ip|ip6",
    help="The address family, where the file does not tell.",
)


def failing(report: Report, fail_on: str) -> int:
    """An item of a benchmark that fails is as grave as a warning."""
    threshold = THRESHOLDS.index(fail_on)
    if fail_on in ("warning", "info") and any(i.fails for i in report.items or ()):
        return 1
    grave = (f for f in report.findings if f.severity.rank <= threshold)
    return int(fail_on != "never" and any(True for _ in grave))
