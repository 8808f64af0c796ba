"""Options that several commands share, and how their values are read."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from ipaddress import IPv4Network, IPv6Network, ip_network
from math import isnan
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from iptlint.dialects import Reader
    from iptlint.linter.budget import Budget
    from iptlint.linter.report import Report
    from iptlint.model import Family

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]

_FAMILIES = {"ip": "ip", "4": "ip", "ipv4": "ip", "ip6": "ip6", "6": "ip6", "ipv6": "ip6"}

PROFILES = ("default", "strict", "cis")
THRESHOLDS = ("error", "warning", "info", "never")


@dataclass(frozen=True, slots=True)
class Output:
    """A format, and the file that it goes to; None: standard output."""

    format: str
    path: str | None = None

    def __str__(self) -> str:
        return self.format if self.path is None else f"{self.format}:{self.path}"


@dataclass(frozen=True, slots=True)
class Asked:
    """What the command line says of how to lint and how to answer. ``ssh_ports`` empty: as the
    host says."""

    outputs: tuple[Output, ...]
    select: Sequence[str]
    ignore: Sequence[str]
    profile: str
    fail_on: str
    ssh_ports: tuple[int, ...]
    management_networks: tuple[IPv4Network | IPv6Network, ...]
    budget: Budget
    color: str = "auto"
    quiet: bool = False
    statistics: bool = False
    exit_zero: bool = False
    no_suppressions: bool = False
    show_suppressed: bool = False
    verbose: bool = False
    host_addresses: tuple[IPv4Network | IPv6Network, ...] = ()
    sort: str = "severity"

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Asked:
        """Of the values of a command's options."""
        return cls(**{each.name: given[each.name] for each in fields(cls) if each.name in given})


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


def reader_of(given: Mapping[str, Any]) -> Reader:
    """How the files of a command are to be read, by the values of its options: of ``includes``,
    and of ``family`` where it has that."""
    from iptlint.dialects import Reader
    from iptlint.dialects.files import LocalFiles, NoFiles

    files = NoFiles() if given["no_include"] else LocalFiles(tuple(given["include_dirs"]))
    return Reader(family_of(given.get("family")), files)


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
    type=click.Path(exists=True, file_okay=False),
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


one_host: Decorator = click.option(
    "--one-host",
    is_flag=True,
    help="All files are of one host. Else those of one directory, or below one etc, are.",
)
twins: Decorator = click.option(
    "--twins", is_flag=True, help="Read the rules of the other family and the sets beside, too."
)


class Seconds(click.FloatRange):
    """So many; ``nan`` is no number, and neither less nor more than one."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        seconds = super().convert(value, param, ctx)
        if isnan(seconds):
            self.fail(f"{value!r} is no number of seconds", param, ctx)
        return seconds


def limits(command: Callable[..., Any]) -> Callable[..., Any]:
    """What the command may take; ``budget_of`` makes a budget of them."""
    for option in reversed(LIMITS.values()):
        command = option(command)
    return command


def budget_of(given: Mapping[str, Any]) -> Budget:
    from iptlint.linter.budget import Budget

    return Budget(given["timeout"], given["max_memory"] << 20, given["max_findings"])


def _limit(name: str, default: float, help: str) -> Decorator:
    kind = Seconds(min=0.1) if name == "--timeout" else click.IntRange(min=1)
    return click.option(name, type=kind, default=default, show_default=True, help=help)


LIMITS = {
    "--timeout": _limit(
        "--timeout", 60, "Seconds for each file; what is not done by then is left out."
    ),
    "--max-memory": _limit("--max-memory", 2048, "MiB; what needs more is left out."),
    "--max-findings": _limit("--max-findings", 1000, "Show no more than the gravest so many."),
    "--max-bytes": _limit("--max-bytes", 64 << 20, "A longer file is not read."),
}
"""By name, for who needs some of them."""

family: Decorator = click.option(
    "--family",
    type=click.Choice(list(_FAMILIES)),
    metavar="ip|ip6",
    help="The address family, where the file does not tell.",
)


def judging(command: Callable[..., Any]) -> Callable[..., Any]:
    """What a command that lints is told: which rules run, what is known of the host, and how it
    answers. ``Asked`` has all of it."""
    for option in reversed(_JUDGING):
        command = option(command)
    return command


_JUDGING = (
    comma_list("--select", str, help="Only these rules: IPT101,IPT5,rule-name."),
    comma_list("--ignore", str, help="Not these rules."),
    click.option(
        "--profile",
        type=click.Choice(PROFILES),
        default="default",
        show_default=True,
        help="Which rules run where none is selected: strict adds what few want to know; cis is "
        "what the CIS benchmarks ask for, with a table of their items.",
    ),
    click.option(
        "--fail-on",
        type=click.Choice(THRESHOLDS),
        default="warning",
        show_default=True,
        help="The mildest severity that makes the exit status 1.",
    ),
    click.option("--exit-zero", is_flag=True, help="Exit with 0 whatever is found."),
    click.option(
        "--no-suppressions", is_flag=True, help="Show what comments in the files would hide, too."
    ),
    click.option(
        "--show-suppressed", is_flag=True, help="Name what comments or a baseline hide, too."
    ),
    click.option(
        "--color",
        type=click.Choice(["auto", "always", "never"]),
        default="auto",
        show_default=True,
        help="Colours; auto: on a terminal, or as NO_COLOR and FORCE_COLOR say.",
    ),
    click.option(
        "--verbose", "-v", is_flag=True, help="Say on standard error what takes how long."
    ),
    click.option("--quiet", "-q", is_flag=True, help="Print findings and nothing else."),
    click.option(
        "--statistics", is_flag=True, help="Print how many there are of each code instead."
    ),
    click.option(
        "--sort",
        type=click.Choice(["severity", "path"]),
        default="severity",
        show_default=True,
        help="What findings are sorted by first: how grave they are, or where they are.",
    ),
    comma_list("--ssh-ports", port, help="Where sshd listens (22, or as a live host says)."),
    comma_list(
        "--management-networks",
        network,
        help="From where the host is managed: 10.0.0.0/8,fd00::/8.",
    ),
)


def failing(report: Report, asked: Asked) -> int:
    """An item of a benchmark that fails is as grave as a warning."""
    if asked.exit_zero or asked.fail_on == "never":
        return 0
    threshold = THRESHOLDS.index(asked.fail_on)
    if asked.fail_on in ("warning", "info") and any(i.fails for i in report.items or ()):
        return 1
    return int(any(f.severity.rank <= threshold for f in report.findings))
