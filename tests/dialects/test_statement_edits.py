"""What an edit takes out and puts in, and what it leaves as it is."""

from __future__ import annotations

import pytest

from iptlint.dialects import read
from iptlint.model import Rule, Ruleset
from iptlint.model.syntax import Suggestion
from iptlint.source import SourceFile, edited

SUGGESTION = Suggestion("-i lo -j ACCEPT", 'iifname "lo" accept')


def ruleset(text: str, path: str) -> Ruleset:
    return read(SourceFile(path, text)).ruleset


def rules(of: Ruleset) -> list[Rule]:
    return [rule for _, _, rule in of.rules()]


def without(text: str, number: int, path: str = "rules.v4") -> str | None:
    """The text without the rule of the number."""
    of = ruleset(text, path)
    edit = of.syntax.take_out(rules(of)[number])
    return None if edit is None else edited(of.source, [edit]).text


def with_first(text: str, path: str = "rules.v4") -> str | None:
    of = ruleset(text, path)
    edit = of.syntax.put_before(rules(of)[0], SUGGESTION)
    return None if edit is None else edited(of.source, [edit]).text


SSH = "[3:4] -A INPUT -p tcp --dport 22 -j ACCEPT\r\n"
V4 = f"*filter\r\n# ssh\r\n{SSH}-A INPUT -j DROP\r\nCOMMIT\r\n"


def test_a_line_of_iptables_goes_with_its_counters_and_its_end() -> None:
    assert without(V4, 0) == "*filter\r\n# ssh\r\n-A INPUT -j DROP\r\nCOMMIT\r\n"


def test_a_line_is_added_above_the_remarks_of_the_first() -> None:
    """They speak of that one, and go on doing so."""
    assert with_first(V4) == V4.replace("# ssh", "-A INPUT -i lo -j ACCEPT\r\n# ssh")


NFT = """\
table inet filter {
    chain input {
        type filter hook input priority 0; policy drop;
        # web
        tcp dport { 80,
                    443 } accept # and its remark
        tcp dport 22 accept; tcp dport 23 drop
    }
}
add rule inet filter input udp dport 53 accept
"""


@pytest.mark.parametrize(
    ("number", "gone"),
    [
        (0, "        tcp dport { 80,\n                    443 } accept # and its remark\n"),
        (1, "tcp dport 22 accept; "),
        (3, "add rule inet filter input udp dport 53 accept\n"),
    ],
)
def test_a_rule_of_nft_goes_with_what_is_its_own(number: int, gone: str) -> None:
    assert without(NFT, number, "a.nft") == NFT.replace(gone, "")


def test_a_set_of_nft_goes_with_one_of_the_empty_lines_about_it() -> None:
    sets = "".join(f"    set s{n} {{\n        type ipv4_addr\n    }}\n\n" for n in range(3))
    text = f"table ip t {{\n{sets}    chain c {{\n        drop\n    }}\n}}\n"
    of = ruleset(text, "a.nft")
    for left in ("s0 s2", "s2", ""):
        gone = [named for named in of.tables[0].sets if named.name not in left.split()]
        edits = [e for each in gone for e in of.syntax.take_out_declared(each.origin) or ()]
        kept = edited(of.source, edits).text
        assert "\n\n\n" not in kept
        assert "{\n\n" not in kept
        assert kept.count("\n\n") == len(left.split())


def test_what_shares_the_end_of_a_line_stays() -> None:
    assert without(NFT, 2, "a.nft") is None


def test_a_rule_of_nft_is_added_with_the_indent_of_the_first() -> None:
    added = '        iifname "lo" accept\n        # web'
    assert with_first(NFT, "a.nft") == NFT.replace("        # web", added)


SCRIPT = """\
#!/bin/sh
IPT=/sbin/iptables
$IPT -F
$IPT -A INPUT -p tcp \\
    --dport 22 -j ACCEPT
$IPT -A INPUT -p udp --dport 53 -j ACCEPT || exit 1
if [ -e /etc/web ]; then
    $IPT -A INPUT -p tcp --dport 80 -j ACCEPT
fi
for port in 1 2; do
    $IPT -A INPUT -p tcp --dport $port -j ACCEPT
    echo $port
done
$IPT -A INPUT -p tcp --dport 8080 -j ACCEPT
test $? = 0 || exit 1
$IPT -A INPUT -j DROP # all else
"""


def test_a_command_of_a_script_goes_with_its_lines() -> None:
    gone = "$IPT -A INPUT -p tcp \\\n    --dport 22 -j ACCEPT\n"
    assert without(SCRIPT, 0, "a.sh") == SCRIPT.replace(gone, "")
    assert without(SCRIPT, -1, "a.sh") == SCRIPT.replace("$IPT -A INPUT -j DROP # all else\n", "")


@pytest.mark.parametrize("number", [1, 2, 3, 5])
def test_a_command_that_is_part_of_something_stays(number: int) -> None:
    """Of a list with `||`, of a condition, of a loop; one whose status is asked for."""
    assert without(SCRIPT, number, "a.sh") is None


def test_a_command_is_added_with_the_tool_of_the_first() -> None:
    added = "$IPT -A INPUT -i lo -j ACCEPT\n$IPT -A INPUT -p tcp \\"
    assert with_first(SCRIPT, "a.sh") == SCRIPT.replace("$IPT -A INPUT -p tcp \\", added, 1)


def test_a_rule_moves_with_its_lines_above_the_remarks_of_another() -> None:
    of = ruleset(V4, "rules.v4")
    accept, drop = rules(of)
    edits = of.syntax.move_before(drop, accept)
    assert edits is not None
    ban = "-A INPUT -j DROP\r\n"
    moved = V4.replace(ban, "").replace("# ssh", f"{ban}# ssh")
    assert edited(of.source, edits).text == moved


def test_elements_go_and_the_layout_stays() -> None:
    text = (
        "table ip t {\n set s {\n  type ipv4_addr; flags interval;\n"
        "  elements = { 10.1.0.0/16, 10.0.0.0/8,\n               10.2.0.0/16,\n"
        "               192.0.2.0/24 }\n }\n}\n"
    )
    of = ruleset(text, "a.nft")
    (place,) = of.syntax.lists(of)
    listed = of.syntax.elements(place)
    edits = place.without(listed, [0, 2])
    assert edited(of.source, edits).text == text.replace("10.1.0.0/16, ", "").replace(
        ",\n               10.2.0.0/16", ""
    )
    assert place.without(listed, range(4)) == ()
