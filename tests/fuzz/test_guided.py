"""A corpus of the fuzzer begins with all texts of a target, byte for byte."""

from __future__ import annotations

from pathlib import Path

from tests.fuzz.guided import plant
from tests.fuzz.targets import TARGETS


def test_a_corpus_begins_with_the_texts(tmp_path: Path) -> None:
    plant([b"a\n", b"\xff"], tmp_path / "corpus", ".nft")
    planted = sorted((tmp_path / "corpus").iterdir())
    assert [(path.name, path.read_bytes()) for path in planted] == [
        ("seed-0.nft", b"a\n"),
        ("seed-1.nft", b"\xff"),
    ]


def test_each_target_has_texts() -> None:
    assert [target.name for target in TARGETS if not target.texts()] == []
