"""What becomes of the SSH session that somebody is in, in a sentence and as JSON."""

from __future__ import annotations

from iptlint.analysis.running_session import SessionFate
from iptlint.model.host import SshSession
from iptlint.reports.places import in_words, place, verdict
from iptlint.reports.safe import visible

_SAID = {
    True: "the SSH session you are in goes on",
    False: "this closes the SSH session you are in",
    None: "this may close the SSH session you are in",
}


def session_text(session: SshSession, fate: SessionFate) -> str:
    return f"{visible(f'{_SAID[fate.works]} ({session}){_because(fate)}')}\n"


def _because(fate: SessionFate) -> str:
    if fate.works:
        return ""
    if fate.why:
        return f": {fate.why}"
    sentences = (f"{verdict(each.kind)}, by {in_words(each.decision)}" for each in fate.lost[:1])
    return "".join(f": {one}" for one in sentences)


def session_json(session: SshSession, fate: SessionFate) -> dict[str, object]:
    return {
        **session._asdict(),
        "goes_on": fate.works,
        "stopped_by": place(fate.lost[0].decision) if fate.lost else None,
    }
