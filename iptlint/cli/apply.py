"""``iptlint apply FILE…``: puts rules into the kernel, and takes them back unless confirmed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from iptlint.cli import options
from iptlint.cli.applying import REFUSED, Application, Said, rolled_back, waits
from iptlint.cli.budgets import Allowance, limits

if TYPE_CHECKING:
    from iptlint.apply.state import State

_ROOT = "change the rules of this host"


@click.command(name="apply", options_metavar="[OPTION…]")
@click.argument("files", nargs=-1, metavar="[FILE…]")
@click.option(
    "--confirm-within",
    type=options.Seconds(min=5),
    default=60,
    show_default=True,
    metavar="SECONDS",
    help="Then the rules before come back, unless the new ones are confirmed.",
)
@click.option("--confirm", is_flag=True, help="Keep the rules that wait for it.")
@click.option("--roll-back", is_flag=True, help="Take the rules that wait back at once.")
@click.option("--dry-run", is_flag=True, help="Say what would happen, and change nothing.")
@click.option("--force", is_flag=True, help="Apply even what is refused for a finding or for SSH.")
@click.option(
    "--fail-on",
    type=click.Choice(options.THRESHOLDS),
    default="error",
    show_default=True,
    help="The mildest severity of a finding for which files are refused.",
)
@options.comma_list("--select", str, help="Only these lint rules: IPT101,IPT5,rule-name.")
@options.comma_list("--ignore", str, help="Not these lint rules.")
@options.comma_list("--ssh-ports", options.port, help="Where sshd listens, if not as it says.")
@options.comma_list(
    "--management-networks", options.network, help="From where the host is managed."
)
@options.output_format
@options.includes
@limits
def command(
    files: tuple[str, ...],
    confirm: bool,
    roll_back: bool,
    dry_run: bool,
    output_format: str,
    allowance: Allowance,
    **given: Any,
) -> int:
    """Check FILE…, say what changes, and put the rules into the kernel by the real tools.

    rules.v4 and rules.v6 (iptables-restore), files of nft (nft -f) and sets (ipset restore). An
    error, or that the SSH session you are in would be closed, is a reason to refuse. Unless the
    rules are confirmed, at the prompt or by `iptlint apply --confirm` from another session, those
    before come back: a process of its own looks after that, also where the session is lost.
    Without FILE it says what waits. Nothing is saved for the next boot.
    """
    from iptlint.apply.state import State, StateError
    from iptlint.cli.here import need_root

    need_root(_ROOT)
    if confirm and roll_back:
        raise click.UsageError("--confirm keeps the rules and --roll-back does not; say one")
    if files and (confirm or roll_back):
        raise click.UsageError("--confirm and --roll-back are about what waits; name no file")
    state, said = State(), Said(output_format)
    try:
        state.prepare()
        if not files:
            return _of_waiting(state, said, confirm=confirm, roll_back=roll_back)
        return Application(files, given, state, said, allowance).run(dry_run=dry_run)
    except StateError as error:
        raise click.ClickException(str(error)) from None
    finally:
        said.finish()


def _of_waiting(state: State, said: Said, *, confirm: bool, roll_back: bool) -> int:
    if confirm:
        if not state.confirm():
            return _nothing_waits(state, said)
        said.keys["state"] = "kept"
        said.line("kept: the new rules stay until the next boot, which loads what is saved")
        return 0
    if roll_back:
        complaints = state.roll_back()
        if complaints is None:
            return _nothing_waits(state, said)
        return rolled_back(said, complaints)
    waiting = state.waiting()
    if waiting is None:
        return _nothing_waits(state, said, expected=False)
    said.keys |= {"state": "waiting", "files": [*waiting.files], "seconds": round(waiting.left)}
    said.line(f"{', '.join(waiting.files)}: {waits(waiting.left)}")
    return 0


def _nothing_waits(state: State, said: Said, *, expected: bool = True) -> int:
    ended, complaints = state.last()
    said.keys |= {"state": ended or "none", "complaints": [*complaints]}
    last = f" (the last ones were {ended})" if ended else ""
    said.line(f"no rules wait to be confirmed{last}")
    for complaint in complaints:
        said.line(f"  {complaint}")
    return REFUSED if expected else 0
