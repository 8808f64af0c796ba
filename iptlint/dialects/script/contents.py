"""Whether a file that a script reads is one that a firewall's script has a reason to read."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from ipaddress import ip_network

from iptlint.dialects.detect import IPSET_SAVE, IPTABLES_S, IPTABLES_SAVE, NFT, SCRIPT, detect
from iptlint.dialects.files import NoFiles
from iptlint.dialects.script import tree as t
from iptlint.dialects.script.parser import parse
from iptlint.source import SourceFile


def is_of_a_firewall(source: SourceFile) -> bool:
    """Rules, variables, functions and commands, or a list of addresses and ports."""
    lines = [line for each in source.text.split("\n") if (line := each.partition("#")[0].strip())]
    if all(map(_is_list, lines)):
        return True
    return _IS_RULES.get(detect(source).name, _is_script)(source, lines)


def _every(pattern: str) -> Callable[[SourceFile, Sequence[str]], bool]:
    line = re.compile(pattern)
    return lambda _, lines: all(line.match(each) for each in lines)


def _is_nft(source: SourceFile, _: Sequence[str]) -> bool:
    from iptlint.dialects.nft.parser import parse as parse_nft

    return all(diagnostic.hides_text for diagnostic in parse_nft(source, NoFiles()).diagnostics)


_is_save = _every(r"\*[a-z]+$|:\S+ \S|COMMIT$|(?:\[\d+:\d+\] )?-[A-Za-z-]+ ")
_IS_RULES: dict[str, Callable[[SourceFile, Sequence[str]], bool]] = {
    IPTABLES_SAVE: _is_save,
    IPTABLES_S: _is_save,
    IPSET_SAVE: _every(
        r"(?:-exist |-! )?(?:create|add|flush|destroy|del|-?[NAFXD]) |COMMIT$|quit$"
    ),
    NFT: _is_nft,
}


# -- lists -------------------------------------------------------------------------------------

_BREAKS = re.compile(r"[\s,;]+")
_PORTS = re.compile(r"\d{1,5}(?:[:-]\d{1,5})?", re.ASCII)
_MAC = re.compile(r"[0-9A-Fa-f]{2}(?::[0-9A-Fa-f]{2}){5}")


def _is_list(line: str) -> bool:
    return all(_is_element(word) for word in _BREAKS.split(line) if word)


def _is_element(word: str) -> bool:
    if _PORTS.fullmatch(word) or _MAC.fullmatch(word):
        return True
    first, _, last = word.partition("-")
    return _is_address(first) and (not last or _is_address(last))


def _is_address(word: str) -> bool:
    try:
        ip_network(word, strict=False)
    except ValueError:
        return False
    return True


# -- scripts -----------------------------------------------------------------------------------

_COMMAND = re.compile(r"[\w./${}\"+-]+|:|\[\[?", re.ASCII)
_NAMED = re.compile(r"\.(?:ba|da|k|z|a)?sh$")


def _is_script(source: SourceFile, _: Sequence[str]) -> bool:
    """Text of the shell, and not one that only looks like it, such as a list of users."""
    file = parse(source)
    if file.diagnostics or not file.statements:
        return False
    commands = [each for each in file.statements if isinstance(each, t.Command) and each.words]
    firsts = (source.text[each.words[0].start : each.words[0].end] for each in commands)
    if not all(_COMMAND.fullmatch(first) for first in firsts):
        return False
    named = _NAMED.search(source.path) is not None
    return named or len(commands) < len(file.statements) or detect(source).name == SCRIPT
