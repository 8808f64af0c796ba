"""What waits, without a kernel: nothing is saved, so nothing is put back."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from iptlint.apply.saved import Saved
from iptlint.apply.state import State, StateError, Waiting, now

NOTHING = Saved({}, {}, {}, {})


@pytest.fixture
def state(tmp_path: Path) -> State:
    made = State(tmp_path / "state")
    made.prepare()
    return made


def begin(state: State, seconds: float = 60) -> None:
    state.begin(Waiting(("rules.v4",), now() + seconds), NOTHING)


def test_the_directory_is_for_nobody_else(state: State) -> None:
    begin(state)
    assert state.directory.stat().st_mode & 0o777 == 0o700
    assert all(path.stat().st_mode & 0o077 == 0 for path in state.directory.iterdir())
    state.directory.chmod(0o755)
    with pytest.raises(StateError, match="only root can enter"):
        state.prepare()


def test_a_link_is_no_directory(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir(mode=0o700)
    (tmp_path / "link").symlink_to(tmp_path / "there")
    with pytest.raises(StateError, match="remove it"):
        State(tmp_path / "link").prepare()


def test_confirmed_rules_are_not_taken_back(state: State) -> None:
    begin(state)
    waiting = state.waiting()
    assert waiting is not None
    assert (waiting.files, 0 < waiting.left <= 60) == (("rules.v4",), True)
    assert state.confirm()
    assert state.roll_back() is None
    assert not state.confirm()
    assert (state.waiting(), state.last()) == (None, ("kept", ()))


def test_rules_that_are_back_cannot_be_confirmed(state: State) -> None:
    begin(state)
    assert state.roll_back() == []
    assert not state.confirm()
    assert state.last() == ("rolled back", ())
    begin(state)
    assert state.last() == ("", ())


@pytest.mark.parametrize("_", range(20))
def test_of_two_at_once_one_decides(state: State, _: int) -> None:
    begin(state)
    start, said = threading.Barrier(2), {}

    def confirm() -> None:
        start.wait()
        said["confirm"] = state.confirm()

    def roll_back() -> None:
        start.wait()
        said["roll back"] = state.roll_back() is not None

    threads = [threading.Thread(target=each) for each in (confirm, roll_back)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(said.values()) == [False, True]
    assert state.last()[0] == ("kept" if said["confirm"] else "rolled back")


def test_one_at_a_time(state: State) -> None:
    with state.locked(), pytest.raises(StateError, match="another iptlint"), state.locked():
        pass
    with state.locked():
        pass


def test_what_was_saved_is_read_as_it_was() -> None:
    saved = Saved({"iptables": {"filter": "*filter\nCOMMIT\n"}}, {"inet t": "x\udcff"}, {}, {})
    assert Saved.of_json(saved.as_json()) == saved
