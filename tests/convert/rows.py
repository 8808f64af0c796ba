"""Rules of iptables and what they are to nft: a line for each row of the tables of conversion.

``rule|chain|the first rule of nft``, in ``other_tables`` with the table and the chain before the
rule; of what is not converted the reason. ``…`` is anything.
"""

from __future__ import annotations

from pathlib import Path

_FOLDER = Path(__file__).parent / "rows_of"


def _read(name: str) -> str:
    return (_FOLDER / f"{name}.txt").read_text("utf-8")


IPV4, IPV6, OTHER_TABLES, NOT_CONVERTED = map(
    _read, ("ipv4", "ipv6", "other_tables", "not_converted")
)
