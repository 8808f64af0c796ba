"""The command line: the only place that prints or exits.

Exit status of every command: 0 nothing at or above the threshold, 1 findings, 2 the
command could not do its work, 130 interrupted.
"""

from __future__ import annotations

import gc
import importlib
import io
import signal
import sys
from typing import TYPE_CHECKING, NoReturn

import click

from iptlint import __version__
from iptlint.cli import streams

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

COMMANDS = {
    "check": ("iptlint.cli.check", "What is wrong (the command that `iptlint FILE…` runs)."),
    "reach": ("iptlint.cli.reach", "For every rule: can a packet get here and match?"),
    "trace": ("iptlint.cli.trace", "What happens to this packet, rule by rule, and who decides?"),
    "graph": ("iptlint.cli.graph", "Which chains do the hooks ask, and where do they lead?"),
    "diff": ("iptlint.cli.diff", "Which packets does a change let in or shut out?"),
    "path": ("iptlint.cli.path", "What gets to a machine in a cloud, and which layer stops it?"),
    "test": ("iptlint.cli.test", "Do the policy tests hold: who may reach what, and who may not?"),
    "explain": ("iptlint.cli.explain", "What do the rules do, in plain sentences?"),
    "matrix": ("iptlint.cli.matrix", "Who reaches which service, as a table?"),
    "fmt": ("iptlint.cli.fmt", "Files in the layout of the tools that print them."),
    "convert": ("iptlint.cli.convert", "Rules of iptables as one file of nft, proved."),
    "loads": ("iptlint.cli.loads", "Would nft -f or iptables-restore take the file?"),
    "live": ("iptlint.cli.live", "What is wrong with this host, and what does a reboot change?"),
    "apply": ("iptlint.cli.apply", "Apply rules; they go again unless you confirm them."),
    "lsp": ("iptlint.cli.lsp", "What an editor shows as one types: a language server."),
    "fleet": ("iptlint.cli.fleet", "What is wrong with many hosts, and where do they differ?"),
    "config": ("iptlint.cli.config", "How would a file be checked, and who says so?"),
    "completion": ("iptlint.cli.completion", "What makes a shell complete iptlint's words."),
    "rule": ("iptlint.cli.rule", "A lint rule's documentation, or all of them as a table."),
}
"""Name to module, which is imported when the command is run, and its line in the help."""

FAILED = 2
INTERRUPTED = 130


class Commands(click.Group):
    """Commands are loaded when asked for; what is none of them is a file to check."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, _ = COMMANDS[cmd_name]
        command: click.Command = importlib.import_module(module).command
        return command

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not args and not ctx.resilient_parsing:
            raise click.UsageError("name the files to check, or - for standard input", ctx)
        if args and args[0] not in (*COMMANDS, "--version", "-h", "--help"):
            args = ["check", *args]
        return super().parse_args(ctx, args)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """A command, or what may stand after `iptlint check`."""
        from click.shell_completion import CompletionItem

        check = self.get_command(ctx, "check")
        assert check is not None
        words = super().shell_complete(ctx, incomplete)
        known = {word.value for word in words}
        with click.Context(check, ctx, "check", resilient_parsing=True) as inner:
            more = check.shell_complete(inner, incomplete)
        return [
            *words,
            *(word for word in more if word.value not in known),
            CompletionItem(incomplete, type="file"),
        ]

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        super().format_options(ctx, formatter)
        check = self.get_command(ctx, "check")
        assert check is not None
        rows = [row for param in check.get_params(ctx) if (row := param.get_help_record(ctx))]
        with formatter.section("Options of iptlint FILE…"):
            formatter.write_dl([row for row in rows if "--help" not in row[0]])

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"]},
    options_metavar="",
    subcommand_metavar="FILE…|COMMAND …",
)
@click.version_option(__version__, prog_name="iptlint", message="%(prog)s %(version)s")
def group() -> None:
    """Find what is wrong with a Linux firewall.

    `iptlint FILE…` checks files; a file that is called like a command is `./check`.
    """


def main(args: list[str] | None = None) -> NoReturn:
    """The console script. Whatever happens, it ends in a status and never in a traceback."""
    # Rules by the hundred thousand make no cycles, and the collector walks them all again
    # and again: a fifth of the time of a large file.
    gc.disable()
    interrupt = signal.getsignal(signal.SIGINT)
    try:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        streams.prepare()
        status = group.main(args, prog_name="iptlint", standalone_mode=False)
        streams.finish()
    except click.ClickException as error:
        streams.say(_shown(error))
        status = FAILED
    except (click.Abort, KeyboardInterrupt):
        status = INTERRUPTED
    except SystemExit:
        raise
    except BaseException as error:  # a panic of the Rust core is no Exception
        # Up to Python 3.11 an interrupt comes as another error where a class is being made.
        status = INTERRUPTED if isinstance(error.__cause__, KeyboardInterrupt) else FAILED
        if status == FAILED:
            streams.complain(_sentence(error))
            streams.abandon()
    finally:
        signal.signal(signal.SIGINT, interrupt)
    # Nor has it to walk all that is left once more before the system takes it back: a tenth of the
    # time of a small file.
    gc.freeze()
    sys.exit(status)


def _shown(error: click.ClickException) -> str:
    from iptlint.reports.safe import visible

    shown = io.StringIO()
    error.show(shown)
    said = error.format_message()
    # A message may quote a file, a path or an argument: nothing of it speaks to the terminal. What
    # click takes for colours is not in what it shows any more.
    # What is missing is named by the command itself, and its choices stand in lines.
    known = isinstance(error, click.MissingParameter)
    whole = shown.getvalue()
    whole = whole if known else whole.replace(click.unstyle(said), visible(said))
    return "".join(f"{visible(line)}\n" for line in whole.removesuffix("\n").split("\n"))


def _sentence(error: BaseException) -> str:
    if isinstance(error, MemoryError):
        return "the analysis ran out of memory: name fewer or smaller files"
    if isinstance(error, OSError):
        return f"cannot write the output: {error.strerror or error}"
    return f"internal error, please report it: {type(error).__name__}: {error}"
