"""One mark copied to some bits of the other: the chain that does it bit by bit."""

from __future__ import annotations

import random

import pytest

from iptlint.model import Field, Masked
from tests.convert.test_rows import conversion, ruleset_text

ALL = 0xFFFFFFFF


@pytest.mark.parametrize("seed", range(4))
def test_the_chain_writes_what_xt_connmark_writes(seed: int) -> None:
    """``mark = (mark & ~nfmask) ^ (ctmark & ctmask)`` (xt_connmark.c, connmark_tg)."""
    drawn = random.Random(seed)
    nfmask = drawn.getrandbits(32)
    ctmask = drawn.getrandbits(32)
    rule = f"-j CONNMARK --restore-mark --nfmask {nfmask:#x} --ctmask {ctmask:#x}"
    made = conversion(ruleset_text("mangle", "PREROUTING", rule))
    assert made.holds
    chain = made.reading.ruleset.tables[0].chains["meta_mark_from_ct_mark"]
    for _ in range(20):
        before, ct_mark = drawn.getrandbits(32), drawn.getrandbits(32)
        mark = before
        for each in chain.rules:
            tests = [test for test in each.matches if isinstance(test, Masked)]
            assert all(test.field is Field.CT_MARK for test in tests)
            if all(ct_mark & test.mask == test.value for test in tests):
                (effect,) = each.effects
                assert effect.mask is not None
                assert effect.value is not None
                mark = mark & ~effect.mask & ALL ^ effect.value
        assert mark == (before & ~nfmask & ALL) ^ (ct_mark & ctmask)
