"""What is asked of a text that somebody broke: all that the command line asks of a file.

Each question fails with whatever it fails with; AssertionError where something is wrong that
crashes nothing.
"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable
from pathlib import Path
from random import Random

from click import ClickException
from click.testing import CliRunner

from iptlint.analysis.bridges import trace_with_bridges
from iptlint.analysis.diff import difference
from iptlint.analysis.exchange import connection
from iptlint.analysis.reach import reach
from iptlint.cli import group
from iptlint.dialects.decode import decode
from iptlint.dialects.files import NoFiles
from iptlint.dialects.readers import read
from iptlint.dialects.reading import Reader
from iptlint.host.archive import ArchiveError, load, save
from iptlint.host.examine import examine
from iptlint.host.gathered import CommandOutput, Gathered
from iptlint.host.report import host_json, host_text
from iptlint.linter.run import lint
from iptlint.loads import judges
from iptlint.model import Ruleset
from iptlint.packets.packet import Packet
from iptlint.reports.difference import diff_json, diff_text
from iptlint.reports.formats import FORMATS
from iptlint.reports.json_report import dumps, json_report
from iptlint.reports.loads import loads_json, loads_text
from iptlint.reports.reach import reach_json, reach_text
from iptlint.reports.text import text_report
from iptlint.reports.trace import FamilyTrace, trace_json, trace_text

FIXTURES = Path(__file__).parents[2] / "fixtures"
HOST, LOGGING = FIXTURES / "hosts" / "web-server", FIXTURES / "logs" / "rules.v4"
READER = Reader(files=NoFiles())


def _plain(*shown: str) -> None:
    assert not any("\x1b" in text for text in shown), "an escape sequence comes through"


def _ruleset(name: str, data: bytes) -> Ruleset:
    return read(decode(name, data), READER).ruleset


def only_read(name: str, data: bytes) -> None:
    _ruleset(name, data)


def checked(name: str, data: bytes) -> None:
    report = lint([decode(name, data)], reader=READER)
    crashes = [f.message for f in report.findings if f.code == "IPT009"]
    assert not crashes, crashes
    _plain(text_report(report), json_report(report))


def reached(name: str, data: bytes) -> None:
    answers = list(reach(_ruleset(name, data)))
    _plain(reach_text(answers), reach_json(answers))


def traced(name: str, data: bytes) -> None:
    ruleset = _ruleset(name, data)
    packet = Packet("ip", hook=None, iif="eth0", proto="tcp", dport=22, ct_state="new")
    trace = trace_with_bridges(ruleset, packet)
    answers = [FamilyTrace(trace, connection(trace))]
    _plain(trace_text(answers), trace_json(answers))


def compared(name: str, data: bytes) -> None:
    """With itself, less a line: what is left out may be all there is."""
    lines = data.splitlines(keepends=True)
    if lines:
        lines.pop(Random(len(data)).randrange(len(lines)))
    found = difference(_ruleset(name, data), _ruleset(name, b"".join(lines)))
    _plain(diff_text(found), diff_json(found))


def loaded(name: str, data: bytes) -> None:
    judged = judges.load(read(decode(name, data), READER), (), None)
    if judged is not None:
        _plain(loads_text([judged]), loads_json([judged]))


def archived(name: str, data: bytes) -> None:
    """A host whose rules, and whose every other output and file, are the text; then the bytes of
    its archive, some of them changed."""
    printed = dict.fromkeys(
        ("iptables-save", "nft", "ss", "sshd", "addresses"), CommandOutput(data, 0)
    )
    files = dict.fromkeys(("/etc/iptables/rules.v4", "/etc/nftables.conf", "/etc/rc.local"), data)
    draw = Random(len(data))
    host = Gathered("fuzz", draw.random() < 0.5, printed, files, {"/etc/rc3.d/S01x": "/x"})
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        save(host, str(path))
        _examined(load(str(path)))
        broken = bytearray(path.read_bytes())
        for _ in range(draw.choice((1, 5))):
            broken[draw.randrange(len(broken))] = draw.randrange(256)
        path.write_bytes(broken)
        with contextlib.suppress(ArchiveError):
            load(str(path))


def _examined(gathered: Gathered) -> None:
    examined = examine(gathered)
    report = lint(
        examined.host.sources, reader=examined.reader, ipsets=examined.ipsets, host=examined.host
    )
    crashes = [f.message for f in report.findings if f.code == "IPT009"]
    assert not crashes, crashes
    _plain(text_report(report), host_text(examined.host), dumps(host_json(examined.host)))


def configured(name: str, data: bytes) -> None:
    """A configuration, for a file of which much can be said."""
    _run(name, data, "check", "--fail-on=never", "--config")


def accepted(name: str, data: bytes) -> None:
    _run(name, data, "check", "--fail-on=never", "--baseline")


def claimed(name: str, data: bytes) -> None:
    _run(name, data, "test", "--tests")


def logged(name: str, data: bytes) -> None:
    _run(name, data, "trace", "--log", rules=str(LOGGING))


def mended(name: str, data: bytes) -> None:
    """Written to the file, once it is proved."""
    _run(name, data, "check", "--isolated", "--fix", "--unsafe-fixes", rules="")


def rewritten(name: str, data: bytes) -> None:
    for words in (("fmt", "--diff"), ("convert",), ("convert", "--to=nft-json")):
        _run(name, data, *words, rules="")


def pictured(name: str, data: bytes) -> None:
    for form in ("svg", "dot", "mermaid", "json"):
        _run(name, data, "graph", f"--output-format={form}", "--trace", "--dport=22", rules="")


def described(name: str, data: bytes) -> None:
    for words in (("explain",), ("matrix",), ("matrix", "--output-format=html")):
        _run(name, data, *words, rules="")


def reported(name: str, data: bytes) -> None:
    """In every format; each but the first goes to a file."""
    words = [f"--output-format={form}:out.{form}" for form in FORMATS]
    _run(name, data, "check", "--isolated", "--profile=strict", *words, rules="")


def _run(name: str, data: bytes, *words: str, rules: str = str(HOST / "rules.v4")) -> None:
    """A command that reads the text, beside ``rules``: it ends in a sentence, or in a status."""
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        path = Path(folder) / name
        path.write_bytes(data)
        paths = filter(None, (str(path), rules))
        result = CliRunner().invoke(group, [*words, *paths], standalone_mode=False)
        ended = result.exception
        if ended is not None and not isinstance(ended, SystemExit | ClickException):
            raise ended
        written = [each.read_text("utf-8") for each in Path(folder).glob("out.*")]
        assert not any("IPT009" in text for text in (result.output, *written))
        _plain(result.output, *written)


QUESTIONS: dict[str, Callable[[str, bytes], None]] = {
    "read": only_read,
    "check": checked,
    "reach": reached,
    "trace": traced,
    "diff": compared,
    "loads": loaded,
    "archive": archived,
    "configuration": configured,
    "baseline": accepted,
    "policy": claimed,
    "log": logged,
    "fix": mended,
    "rewrite": rewritten,
    "graph": pictured,
    "describe": described,
    "formats": reported,
}
