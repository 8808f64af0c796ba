"""Targets that give packets to a program: whoever reads the queue decides."""

from __future__ import annotations

from iptlint.dialects import verdict_words
from iptlint.dialects.diagnostics import InvalidValueError
from iptlint.dialects.iptables.extensions import values
from iptlint.dialects.iptables.extensions.builders import (
    at_most_one,
    opt,
    row,
    together,
    value_of,
    verdict,
    write,
)
from iptlint.dialects.iptables.extensions.row import Extension, Uses
from iptlint.model import Family, Field, VerdictKind

_BY_READER = write(Field.MARK)
"""The program that reads a queue may mark the packet (nfnetlink_queue.c)."""


def _queue_range(text: str, _: Family) -> str:
    """xt_NFQUEUE counts the queues in 16 bits, so 0:65535 is one too many."""
    low, colon, high = text.partition(":")
    if not colon:
        raise InvalidValueError("a range of queues a:b")
    first = values.integer(low, 0, 65535) if low else 0
    last = values.integer(high, 0, 65535) if high else 65535
    if first >= last or last - first == 65535:
        raise InvalidValueError("a range of at least 2 and at most 65535 queues", refused=True)
    return f"{first}:{last}"


def _queue(uses: Uses) -> str:
    numbers = str(value_of(uses, "queue-balance") or value_of(uses, "queue-num") or 0)
    names = {"queue-bypass": "bypass", "queue-cpu-fanout": "fanout"}
    flags = [word for option, word in names.items() if option in uses]
    return verdict_words.queue(numbers.replace(":", "-"), flags)


ROWS: tuple[Extension, ...] = (
    row("QUEUE", lower=verdict(VerdictKind.QUEUE, "QUEUE", _BY_READER, words=_queue)),
    row(
        "NFQUEUE",
        opt("queue-num", values.bits(16)),
        opt("queue-balance", _queue_range),
        opt("queue-bypass"),
        opt("queue-cpu-fanout"),
        lower=at_most_one(
            "queue-num",
            "queue-balance",
            then=together(
                "queue-cpu-fanout",
                "queue-balance",
                then=verdict(
                    VerdictKind.QUEUE,
                    "NFQUEUE",
                    _BY_READER,
                    defaults=("--queue-num 0",),
                    words=_queue,
                ),
            ),
        ),
    ),
)
