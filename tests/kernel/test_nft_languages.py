"""nft itself reads the JSON and the text that `convert` writes, and lists of both what it lists of
the text that they were made of."""

from __future__ import annotations

import json
import re

from iptlint.convert.languages import to_json, to_text
from tests.convert.test_languages import TEXT, reading
from tests.kernel.namespaces import Namespace

LOADABLE = "\n".join(
    line.replace("dynamic,timeout", "timeout")
    for line in TEXT.splitlines()
    if not any(word in line for word in ("queue", "@seen"))
)
"""Without a flag that the JSON of nft 1.0.6 does not know, and a module that a kernel may lack."""


def listed(command: list[str], text: str) -> str:
    host = Namespace()
    host.run([*command, "-f", "-"], text)
    return lasting(host.run(["nft", "list", "ruleset"]))


def lasting(text: str) -> str:
    """Without how long an element has left."""
    return re.sub(r" expires \w+", "", text)


def test_nft_lists_the_same() -> None:
    made = to_json(reading(LOADABLE))
    assert made.holds
    of_text = listed(["nft"], LOADABLE)
    assert listed(["nft", "-j"], made.text) == of_text
    again = to_text(reading(made.text))
    assert again.holds
    assert listed(["nft"], again.text) == of_text


def test_nfts_own_json_becomes_text() -> None:
    host = Namespace()
    host.run(["nft", "-f", "-"], LOADABLE)
    printed = host.run(["nft", "-j", "list", "ruleset"])
    assert json.loads(printed)["nftables"]
    made = to_text(reading(printed))
    assert made.holds, (made.lost, made.objection)
    assert listed(["nft"], made.text) == lasting(host.run(["nft", "list", "ruleset"]))
