"""``iptlint completion SHELL``: what makes a shell complete the words of iptlint."""

from __future__ import annotations

import click

from iptlint.cli import group, streams

VARIABLE = "_IPTLINT_COMPLETE"
"""By which a shell asks how a line may go on."""

_SHELLS = ("bash", "zsh", "fish")


@click.command(name="completion", options_metavar="[OPTION…]")
@click.argument("shell", type=click.Choice(_SHELLS), metavar="bash|zsh|fish")
def command(shell: str) -> int:
    """Print what makes a shell complete the words of iptlint.

    \b
    bash: iptlint completion bash > ~/.local/share/bash-completion/completions/iptlint
    zsh:  iptlint completion zsh > ~/.zfunc/_iptlint  (~/.zfunc is in fpath, before compinit)
    fish: iptlint completion fish > ~/.config/fish/completions/iptlint.fish
    """
    from click.shell_completion import get_completion_class

    complete = get_completion_class(shell)
    assert complete is not None
    # source() asks bash for its version; what it prints of an old one goes to standard error.
    streams.write_utf8(complete(group, {}, "iptlint", VARIABLE).source() + "\n")
    return 0
