"""A variable that a condition gives one of several values has the right one in every case."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from iptlint.dialects.script import choices, choosing, truths
from iptlint.model import Field, Rule, Within
from tests.dialects.script.test_script_against_kernel import lacking
from tests.dialects.script.test_script_conditions import (
    PREDICATES,
    Writer,
    after,
    check_every_case,
)

SEEDS = range(24)
NAMES = ("P", "Q")


class ChoosingWriter(Writer):
    """Writes scripts whose ports are in variables."""

    def script(self) -> str:
        lines = ["P=1", "Q=2", "L='3 4'", "S=(5 6)", "QUIET=", *PREDICATES, "iptables -N WEB"]
        for _ in range(3):
            lines += self.statement(2)
        return "\n".join([*lines, self.use(), self.use()]) + "\n"

    def command(self) -> str:
        choice = self.random.random()
        if choice < 0.4:
            return self.assignment()
        return self.use() if choice < 0.7 else super().command()

    def assignment(self) -> str:
        self.port += 1
        name, other = self.random.sample(NAMES, 2)
        return self.random.choice(
            (
                f"{name}={self.port}",
                f"{name}=${other}",
                f"{name}=$((${other} + 1))",
                f'L="$L ${name}"',
                f"L={self.port}",
                f"S+=(${name})",
                f"S=({self.port})",
                "QUIET=-w",
                f"unset {name}; {name}=${{{name}:-{self.port}}}",
            )
        )

    def use(self) -> str:
        name = self.random.choice(NAMES)
        rule = "iptables $QUIET -A INPUT -p tcp --dport"
        return self.random.choice(
            (
                f"{rule} ${name} -j ACCEPT",
                f"for p in $L; do {rule} $p -j ACCEPT; done",
                f'for p in "${{S[@]}}"; do {rule} $p -j ACCEPT; done',
                f'if [ "${name}" -gt 1003 ]; then {rule} 1${name} -j ACCEPT; fi',
                f"case ${name} in 1*) {rule} ${name} -j LOG;; *) {rule} ${name} -j DROP;; esac",
                "".join(self.printed(name)),
            )
        )

    def printed(self, name: str) -> Iterator[str]:
        yield '{ echo "*filter"; '
        yield f'if {self.condition()}; then echo "-A INPUT -p tcp --dport ${name} -j ACCEPT"; fi; '
        yield 'echo "-A INPUT -p udp -j LOG"; echo COMMIT; } | iptables-restore -n'


@pytest.mark.parametrize("seed", SEEDS)
def test_in_every_case_the_rules_are_those_that_the_tools_leave(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    if (reason := lacking()) is not None:
        pytest.skip(reason)
    monkeypatch.setattr(choices, "MOST", 64)  # whatever may be, none of it is left out
    monkeypatch.setattr(choosing, "MOST", 64)
    monkeypatch.setattr(truths, "MANY", 12)
    script = ChoosingWriter(seed).script()
    check_every_case(script)


def test_what_is_printed_under_a_condition_is_there_only_then() -> None:
    first = 'if [ "$A" = yes ]; then echo "-A INPUT -p tcp -j DROP"; fi'
    text = '{ echo "*filter"; ' + first + '; echo "-A INPUT -j LOG"; } | iptables-restore -n\n'
    assert [len(rule.matches) for rule in rules(text)] == [2, 0]


def test_a_value_that_is_printed_under_a_condition_is_not_known() -> None:
    text = "x=$(if [ -f /etc/x ]; then echo 1; else echo 2; fi)\n"
    assert len(rules(text + "for p in $x; do iptables -A INPUT -p tcp --dport $p; done\n")) == 1


def rules(text: str) -> list[Rule]:
    return [rule for _, _, rule in after(text).rules()]


def asks_for_a_port(rule: Rule) -> bool:
    return any(isinstance(match, Within) and match.field is Field.DPORT for match in rule.matches)


def test_values_that_nobody_tells_apart_are_one() -> None:
    tools = "if [ -x /sbin/iptables ]; then T='iptables -w 5'; else T=/usr/sbin/iptables; fi\n"
    (rule,) = rules(f"if [ -f /etc/x ]; then W=-w; fi\n{tools}$T $W -A INPUT -j DROP\n")
    assert rule.matches == ()


def test_too_many_values_are_not_known() -> None:
    items = "".join(f"{n}) P={n};;\n" for n in range(1, 20))
    (rule,) = rules(f'read n\ncase "$n" in\n{items}esac\niptables -A INPUT -p tcp --dport $P\n')
    assert not asks_for_a_port(rule)


def test_what_a_loop_of_unknown_rounds_sets_is_not_known() -> None:
    text = "P=1\nfor i in $LIST; do if [ -f $i ]; then P=2; fi; done\n"
    (rule,) = rules(f"{text}iptables -A INPUT -p tcp --dport $P -j DROP\n")
    assert not asks_for_a_port(rule)


@pytest.mark.parametrize(
    ("path", "there"),
    [
        ("/sbin/iptables", True),
        ("/proc/sys/net/ipv4/ip_forward", True),
        # OpenVZ and Red Hat have these, others do not.
        ("/proc/user_beancounters", False),
        ("/usr/bin/yum", False),
    ],
)
def test_what_each_host_has_and_what_only_some_have(path: str, there: bool) -> None:
    changing = rules(f"if [ -f {path} ]; then exit 1; fi\niptables -A INPUT -j DROP\n")
    assert (len(changing) == 0) is there
