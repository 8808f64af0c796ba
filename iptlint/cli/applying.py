"""What ``iptlint apply`` does with files: it refuses them, or the kernel has them and somebody is
asked whether they stay."""

from __future__ import annotations

import json
import select
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import click

from iptlint.cli import FAILED, options, streams, terminal
from iptlint.cli.budgets import Allowance

if TYPE_CHECKING:
    from iptlint.apply.new_files import NewFile
    from iptlint.apply.saved import Saved
    from iptlint.apply.state import State
    from iptlint.cli.here import Here
    from iptlint.dialects import Reader, Reading
    from iptlint.model import Ruleset
    from iptlint.source import SourceFile

REFUSED = 1
_TURN = 0.2
"""Seconds after which who waits for an answer looks whether somebody else gave one."""


@dataclass(slots=True)
class Said:
    """What there is to say: at once as text, or in the end as JSON."""

    output_format: str
    keys: dict[str, object] = field(default_factory=dict)

    @property
    def is_json(self) -> bool:
        return self.output_format == "json"

    def text(self, text: str) -> None:
        if not self.is_json:
            streams.write(text)

    def line(self, text: str) -> None:
        self.text(f"{streams.printable(text)}\n")

    def finish(self) -> None:
        from iptlint.reports.json_report import VERSION, dumps

        if self.is_json and self.keys:
            streams.write_utf8(dumps({"version": VERSION, **self.keys}))


def waits(left: float) -> str:
    if left < -1:
        return (
            "not confirmed, and the process that would take it back is gone: "
            "`iptlint apply --roll-back`, or --confirm"
        )
    return (
        f"the rules before come back in {max(round(left), 0)} s, unless `iptlint apply --confirm` "
        "keeps the new ones"
    )


def rolled_back(said: Said, complaints: list[str]) -> int:
    said.keys |= {"state": "rolled back", "complaints": complaints}
    said.line("rolled back: the rules are as they were before")
    for complaint in complaints:
        said.line(f"  but {complaint}")
    return FAILED if complaints else REFUSED


@dataclass(slots=True)
class Application:
    """``given``: the values of the other options."""

    files: tuple[str, ...]
    given: dict[str, Any]
    state: State
    said: Said
    allowance: Allowance

    def run(self, *, dry_run: bool) -> int:
        from iptlint.cli.here import here, read_new

        self._refuse_beside_waiting()
        reader = options.reader_of(self.given)
        host = here()
        new_files = read_new(self._sources(), reader)
        objections = [*self._objections(host, new_files, reader)]
        self.said.keys["refused"] = objections
        for objection in objections:
            self.said.line(f"refused: {objection}")
        if objections and not self.given["force"]:
            return self._unchanged("refused", "nothing was changed; --force applies it anyway")
        if said := _checked(new_files):
            self.said.keys["complaints"] = [said]
            for line in said.splitlines():
                self.said.line(line)
            return self._unchanged("refused", "nothing was changed: the tool does not take it")
        if dry_run:
            self._unchanged("unchanged", "nothing was changed (--dry-run)")
            return 0
        return self._apply(new_files)

    def _unchanged(self, state: str, sentence: str) -> int:
        self.said.keys["state"] = state
        self.said.line(sentence)
        return REFUSED

    def _sources(self) -> Sequence[SourceFile]:
        from iptlint.cli.inputs import read_inputs

        inputs = read_inputs(self.files, self.allowance.most_bytes)
        if inputs.complaints:
            raise click.ClickException("; ".join(inputs.complaints))
        return inputs.sources

    def _refuse_beside_waiting(self) -> None:
        waiting = self.state.waiting()
        if waiting is not None:
            raise click.ClickException(f"{', '.join(waiting.files)}: {waits(waiting.left)}")

    # -- reasons to refuse ----------------------------------------------------------------------

    def _objections(self, host: Here, files: Sequence[NewFile], reader: Reader) -> Iterator[str]:
        from iptlint.cli.here import own_session, rules_after
        from iptlint.reports.session import session_json, session_text

        yield from self._findings(host, files, reader)
        after = rules_after(host, files, reader)
        self._tell_difference(host, after)
        with self.allowance.for_("to follow the SSH session you are in"):
            session = own_session(host, after)
        if session is None:
            return
        self.said.keys["session"] = session_json(*session)
        if session[1].works is False:
            yield session_text(*session).strip()
        else:
            self.said.text(session_text(*session))

    def _findings(self, host: Here, files: Sequence[NewFile], reader: Reader) -> Iterator[str]:
        from iptlint.analysis.session import Settings
        from iptlint.findings.phrases import counted
        from iptlint.linter.run import lint
        from iptlint.reports.formats import PLAIN, Look, written
        from iptlint.rules.registry import UnknownRuleError

        given = self.given
        ports = given["ssh_ports"] or host.facts.ssh_ports or (22,)
        try:
            report = lint(
                [file.source for file in files],
                Settings(ports, given["management_networks"]),
                given["select"],
                given["ignore"],
                reader,
            )
        except UnknownRuleError as error:
            raise click.UsageError(str(error)) from None
        self.said.keys["findings"] = json.loads(written("json", report, PLAIN))["findings"]
        if report.findings:
            look = terminal.fitted(Look(terminal.use_colour("auto")))
            self.said.text(f"{written('text', report, look)}\n")
        if given["fail_on"] == "never":
            return
        most = options.THRESHOLDS.index(given["fail_on"])
        grave = [f for f in report.findings if f.severity.rank <= most]
        if grave or report.crashed:
            yield f"{counted(len(grave), 'finding')} of severity {given['fail_on']} or graver"

    def _tell_difference(self, host: Here, after: Ruleset) -> None:
        from iptlint.analysis.diff import difference
        from iptlint.reports.difference import diff_json, diff_text

        with self.allowance.for_("to compare what runs with what would run"):
            compared = difference(host.running, after, (), host.addresses)
        self.said.keys["diff"] = json.loads(diff_json(compared))
        self.said.text(diff_text(compared))

    # -- the change -----------------------------------------------------------------------------

    def _apply(self, files: Sequence[NewFile]) -> int:
        from iptlint.apply.saved import NotSavedError, put_back, save
        from iptlint.apply.state import Waiting, now
        from iptlint.apply.watch import start

        with self.state.locked():
            self._refuse_beside_waiting()
            try:
                before = save()
            except NotSavedError as error:
                raise click.ClickException(f"{error}; nothing was changed") from None
            until = now() + self.given["confirm_within"]
            self.state.begin(Waiting(tuple(f.source.path for f in files), until), before)
            try:
                start(self.state)
            except BaseException:
                self.state.confirm()
                raise
            complaint = next(filter(None, (file.apply() for file in files)), "")
            if complaint:
                return self._failed(complaint)
            if self.state.waiting() is None:
                put_back(before)
                return self._failed("it took longer than --confirm-within")
            self._narrow(before)
        return self._ask()

    def _failed(self, complaint: str) -> int:
        self.said.line(complaint)
        complaints = self.state.roll_back() or []
        rolled_back(self.said, complaints)
        self.said.keys["complaints"] = [complaint, *complaints]
        return FAILED

    def _narrow(self, before: Saved) -> None:
        """What the files did not change is not put back: others may change it in the meantime."""
        from iptlint.apply.saved import NotSavedError, differing, save

        try:
            self.state.remember(differing(before, save()))
        except NotSavedError:
            return  # then all of it is put back

    def _ask(self) -> int:
        waiting = self.state.waiting()
        left = waiting.left if waiting is not None else 0
        self.said.keys |= {"state": "waiting", "seconds": round(left)}
        self.said.line(f"applied: {waits(left)}")
        if self.said.is_json or not (sys.stdin.isatty() and sys.stderr.isatty()):
            return 0
        streams.say("Do you get in, from another terminal, too? Keep the new rules? [y/N] ")
        try:
            answer = self._answer()
        except KeyboardInterrupt:
            answer = "n"
        streams.say("\n")
        if answer is not None and answer.strip().lower() in ("y", "yes") and self.state.confirm():
            self.said.line("kept, until the next boot loads what is saved")
            return 0
        complaints = self.state.roll_back() if answer is not None else None
        return self._ended() if complaints is None else rolled_back(self.said, complaints)

    def _answer(self) -> str | None:
        """None where the matter is settled by then."""
        while self.state.waiting() is not None:
            if select.select([sys.stdin], [], [], _TURN)[0]:
                return sys.stdin.readline()
        return None

    def _ended(self) -> int:
        """Somebody else has confirmed, or the time was over."""
        import time

        while not (last := self.state.last())[0]:
            time.sleep(_TURN)
        if last[0] == "kept":
            self.said.line("kept: somebody has confirmed")
            return 0
        return rolled_back(self.said, [*last[1]])


def _checked(files: Sequence[NewFile]) -> str:
    """What speaks against loading one of the files: the tool's words, and what `iptlint loads`
    knows of the cause. Where sets come first, which the rules may need, it cannot be asked."""
    from iptlint.apply.new_files import Kind

    sets = [file.reading for file in files if file.kind is Kind.SETS]
    rules = (file for file in files if file.kind is not Kind.SETS)
    return next(filter(None, (_refusal(file, sets) for file in rules)), "")


def _refusal(file: NewFile, sets: Sequence[Reading]) -> str:
    from iptlint.loads.judges import load
    from iptlint.reports.loads import loads_text

    judged = load(file.reading, sets)
    first = judged.refusals[0] if judged is not None and judged.refusals else None
    explained = loads_text([judged]).rstrip() if judged is not None and first is not None else ""
    if sets:  # what the running rules have, this judge does not know
        return explained if first is not None and not first.missing else ""
    said = file.check()
    return "\n".join(filter(None, (said, explained))) if said else ""
