"""The same questions, of texts that a fuzzer makes which sees what code each of them comes to:
libFuzzer, by way of atheris (Linux; ``pip install iptlint[fuzz]``).

    python -m tests.fuzz.guided TARGET QUESTION CORPUS -max_total_time=3600

CORPUS is a folder: what comes to new code is kept there, and taken up again the next time. The
options are libFuzzer's.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path


def main() -> None:
    import atheris

    name, question, corpus, *options = sys.argv[1:]
    with atheris.instrument_imports(include=["iptlint"]):
        from tests.fuzz.questions import QUESTIONS
        from tests.fuzz.targets import TARGETS

        target = next(target for target in TARGETS if target.name == name)
        ask = asked(f"fuzz{target.suffix}", QUESTIONS[question])
        texts = [text.encode("utf-8", "surrogateescape") for text in target.texts()]
        for text in texts[:20]:
            ask(text)  # what is imported only when it is needed

    plant(texts, Path(corpus), target.suffix)
    atheris.Setup([sys.argv[0], corpus, "-timeout=30", "-rss_limit_mb=4096", *options], ask)
    atheris.Fuzz()


def plant(texts: list[bytes], corpus: Path, suffix: str) -> None:
    """What a new corpus grows from."""
    corpus.mkdir(parents=True, exist_ok=True)
    for number, text in enumerate(texts):
        (corpus / f"seed-{number}{suffix}").write_bytes(text)


def asked(name: str, ask: Callable[[str, bytes], None]) -> Callable[[bytes], None]:
    return lambda data: ask(name, data)


if __name__ == "__main__":
    main()
