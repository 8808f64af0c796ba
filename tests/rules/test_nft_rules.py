"""The lint rules that only nft's files can break, and the small modules behind them."""

from __future__ import annotations

from pathlib import Path

import pytest

from iptlint.analysis.includes import has_unseen_includes, is_entry_point, loaded_alone
from iptlint.analysis.session import Context, Settings
from iptlint.dialects import read
from iptlint.findings import Confidence, Finding, Severity
from iptlint.linter.run import lint
from iptlint.model import Ruleset
from iptlint.rules.hygiene import ipt905_iif_by_index as ipt905
from iptlint.rules.persistence import ipt405_reload_duplicates as ipt405
from iptlint.rules.persistence import ipt406_flush_wipes_others as ipt406
from iptlint.rules.reachability import ipt104_unused_chain as ipt104
from iptlint.rules.reachability import ipt105_unused_set as ipt105
from iptlint.rules.reachability import ipt110_accept_undone as ipt110
from iptlint.rules.reachability import ipt111_unhooked_chain as ipt111
from iptlint.rules.reachability import ipt112_same_priority as ipt112
from iptlint.rules.scale import ipt505_verdict_map as ipt505
from iptlint.source import SourceFile

MODULES = {
    module.META.code: module
    for module in (ipt104, ipt105, ipt110, ipt111, ipt112, ipt405, ipt406, ipt505, ipt905)
}
SHEBANG = "#!/usr/sbin/nft -f\n"


def ruleset_of(text: str, path: str = "rules.nft") -> Ruleset:
    reading = read(SourceFile(path, text))
    assert [p.message for p in reading.diagnostics if p.code == "IPT001"] == []
    return reading.ruleset


def table(*lines: str, name: str = "inet filter") -> str:
    return f"table {name} {{\n" + "\n".join(lines) + "\n}\n"


def base(hook: str, *rules: str, priority: int = 0, policy: str = "accept", kind: str = "") -> str:
    first = f"type {kind or 'filter'} hook {hook} priority {priority}; policy {policy};"
    return f"chain {hook} {{\n" + "\n".join((first, *rules)) + "\n}"


def check(code: str, *texts: str | Ruleset) -> list[Finding]:
    rulesets = tuple(ruleset_of(text) if isinstance(text, str) else text for text in texts)
    return list(MODULES[code].check(Context(rulesets, Settings())))


FIXTURES = Path(__file__).parents[2] / "fixtures" / "rules"


def only(findings: list[Finding]) -> Finding:
    (finding,) = findings
    return finding


# -- whose tables are whose -------------------------------------------------------------------


# -- files ------------------------------------------------------------------------------------


def test_entry_points() -> None:
    empty = table()
    assert is_entry_point(ruleset_of(SHEBANG + empty))
    assert is_entry_point(ruleset_of(empty, "/etc/nftables.conf"))
    assert not is_entry_point(ruleset_of(empty))
    assert not is_entry_point(ruleset_of("# nft -f\n" + empty))


def test_what_another_file_includes_is_not_loaded_alone(tmp_path: Path) -> None:
    part = tmp_path / "part.nft"
    part.write_text(table(base("input", "tcp dport 22 accept")))
    main = tmp_path / "main.nft"
    main.write_text('include "./part.nft"\n')
    rulesets = tuple(read(SourceFile(str(path), path.read_text())).ruleset for path in (main, part))
    assert list(loaded_alone(Context(rulesets, Settings()))) == [rulesets[0]]
    assert not has_unseen_includes(rulesets[0])


def test_a_copy_of_a_hosts_files_lies_elsewhere() -> None:
    main = ruleset_of('include "/etc/nftables.d/*.nft"\n' + table(), "copy/etc/nftables.conf")
    part = ruleset_of(table(base("input")), "copy/etc/nftables.d/web.nft")
    other = ruleset_of(table(base("input")), "copy/etc/other/web.nft")
    assert list(loaded_alone(Context((main, part, other), Settings()))) == [main, other]
    assert has_unseen_includes(main)


# -- IPT105 -----------------------------------------------------------------------------------

SET = "set s {\ntype ipv4_addr\nelements = { 192.0.2.1, 192.0.2.2 }\n}"


def test_a_set_that_no_rule_looks_into() -> None:
    finding = only(check("IPT105", table(SET, base("input", "tcp dport 22 accept"))))
    assert finding.message == "no rule looks into the set s: the 2 elements in it change nothing"
    assert finding.span.text == "set s"
    assert finding.confidence is Confidence.CERTAIN


def test_rules_elsewhere_may_look_into_the_set_of_a_table_without_a_hook() -> None:
    finding = only(check("IPT105", table(SET, "chain c {\ntcp dport 22 accept\n}")))
    assert finding.confidence is Confidence.POSSIBLE


@pytest.mark.parametrize(
    "rule",
    [
        "ip saddr @s drop",
        "ip saddr != @s accept",
        "ip saddr . ip daddr @s drop",
        "update @s { ip saddr }",
    ],
)
def test_uses_of_a_set(rule: str) -> None:
    assert check("IPT105", table(SET, base("input", rule))) == []


def test_a_rule_that_cannot_be_read_may_use_it() -> None:
    text = table(SET, base("input", "something new @s drop"))
    ruleset = read(SourceFile("rules.nft", text)).ruleset
    assert check("IPT105", ruleset) == []


def test_one_finding_for_all_variables() -> None:
    text = "".join(f"define v{n} = {n}\n" for n in range(9)) + table(base("input", "accept"))
    finding = only(check("IPT105", text))
    assert finding.message == "nothing in this file uses $v0, nor 8 more of its variables"
    assert finding.related[-1].message == "not used either … and 3 more"


# -- IPT110 -----------------------------------------------------------------------------------


def undone(early: str, late: str, hook: str = "input") -> list[Finding]:
    before = table(base(hook, early, priority=-1), name="inet early")
    after = table(base(hook, late, priority=1, policy="drop"), name="inet late")
    return check("IPT110", before + after)


def test_an_accept_is_undone_by_a_later_policy() -> None:
    finding = only(undone("tcp dport 8080 accept", "tcp dport 22 accept"))
    assert finding.span.text == "tcp dport 8080 accept"
    assert finding.related[0].message == "its policy drops them, at priority 1"
    assert finding.help.endswith("insert rule inet late input tcp dport 8080 accept")
    assert finding.witness is not None
    assert (finding.witness.dport, finding.witness.ct_state) == (8080, "new")


def test_what_one_chain_undoes_of_another_is_one_finding() -> None:
    """Each accept that is given to the chain that drops them lets its packets in."""
    accepts = ["tcp dport 8080 accept", "tcp dport 8443 accept"]
    finding = only(undone("\n".join(accepts), "tcp dport 22 accept"))
    assert finding.span.text == accepts[0]
    assert [label.span.text for label in finding.related[1:]] == accepts[1:]
    commands = [f"insert rule inet late input {rule}" for rule in accepts]
    assert finding.help.endswith("; ".join(commands))
    assert undone("\n".join(accepts), "\n".join(accepts)) == []


def test_what_is_dropped_and_what_is_rejected_are_told_apart() -> None:
    accepts = "tcp dport 8080 accept\ntcp dport 8443 accept"
    dropped, rejected = undone(accepts, "tcp dport 8443 reject")
    assert dropped.span.text == "tcp dport 8080 accept"
    assert " dropped after all" in dropped.message
    assert rejected.span.text == "tcp dport 8443 accept"
    assert " rejected after all" in rejected.message


@pytest.mark.parametrize(
    ("early", "late"),
    [
        ("tcp dport 22 accept", "tcp dport 22 ip saddr 192.0.2.0/24 accept"),
        ("tcp dport 22 accept", "tcp dport 22 limit rate 1/second accept"),
        ("tcp dport 22 accept", "tcp dport 22 jhash ip saddr mod 2 0 accept"),
        ("ct state established,related accept", "tcp dport 22 accept"),
        ('iifname "lo" accept', "tcp dport 22 accept"),
        ("tcp dport 22 drop", "tcp dport 23 accept"),
        ("tcp dport 22 meta mark set 1", "meta mark 1 accept"),
    ],
)
def test_accepts_that_are_not_undone(early: str, late: str) -> None:
    assert undone(early, late) == []


def test_a_mark_on_the_way_opens_the_later_chain() -> None:
    mark = "tcp dport 8080 meta mark set 1 accept"
    assert undone(mark, "meta mark 1 accept") == []


def test_what_comes_back_over_the_loopback_interface_is_no_matter() -> None:
    assert undone('oifname "lo" tcp dport 53 accept', "tcp dport 22 accept", "output") == []


def test_sets_of_a_table_are_not_proposed_to_another() -> None:
    early = table(SET, base("input", "ip saddr @s accept", priority=-1), name="inet early")
    late = table(base("input", "tcp dport 1 drop", priority=1, policy="drop"), name="inet late")
    assert only(check("IPT110", early + late)).help.endswith("(insert rule inet late input …)")


def test_what_software_accepts_is_one_finding() -> None:
    """Of all hooks; it is not proposed with what the rules have counted."""
    text = (FIXTURES / "IPT110" / "bad_software.nft").read_text()
    finding = only(check("IPT110", text))
    assert finding.message.startswith("what tailscale accepts is dropped after all")
    assert "the chain input of table inet filter and the chain forward" in finding.message
    assert "filter input udp dport 41641 counter accept; insert rule" in finding.help


def test_many_rules_of_software_are_not_proposed_one_by_one() -> None:
    ports = [f'iifname "tailscale0" tcp dport {port} accept' for port in range(9000, 9005)]
    early = table(f"chain ts-input {{\n{chr(10).join(ports)}\n}}", base("input", "jump ts-input"))
    late = table(base("input", "tcp dport 22 accept", policy="drop"), name="inet late")
    finding = only(check("IPT110", early.replace("inet filter", "ip filter") + late))
    assert "5 of its rules let through" in finding.message
    assert finding.help.endswith("make its policy accept if others are to decide")


def test_docker_translates_what_it_accepts() -> None:
    """A person's accept of what was translated lets it through, and of others it hides nothing."""
    text = (FIXTURES / "IPT110" / "good_published.nft").read_text()
    assert check("IPT110", text) == []
    finding = only(check("IPT110", text.replace("\t\tct status dnat accept\n", "")))
    assert finding.message.startswith("what docker accepts is dropped")
    of_tailscale = (FIXTURES / "IPT110" / "bad_software.nft").read_text()
    states = "ct state established,related accept"
    dnat = of_tailscale.replace(states, f"{states}\n\t\tct status dnat accept")
    assert "2 of its rules" in only(check("IPT110", dnat)).message


def test_what_firewalld_accepts_is_not_the_users() -> None:
    early = table(base("input", "tcp dport 22 accept", policy="drop"), name="inet firewalld")
    late = table(base("input", "tcp dport 23 accept", priority=1, policy="drop"), name="inet late")
    assert check("IPT110", early + late) == []
    turned = early.replace("priority 0", "priority 10") + late
    assert only(check("IPT110", turned)).span.text == "tcp dport 23 accept"


# -- IPT104 and IPT111 ------------------------------------------------------------------------


def test_one_fault_is_one_finding() -> None:
    text = table("chain input {\ndrop\n}", "chain web {\naccept\n}", base("output"))
    report = lint([SourceFile("rules.nft", text)], select=("IPT104", "IPT111"))
    reported = [(finding.code, finding.span.text) for finding in report.findings]
    assert reported == [("IPT111", "chain input"), ("IPT104", "chain web")]


def test_a_rule_that_cannot_be_read_may_call_a_chain() -> None:
    rule = "ip daddr vmap { $nowhere : jump web, 192.0.2.1 : jump mail }"
    chains = [f"chain {name} {{\naccept\n}}" for name in ("web", "mail", "webmail")]
    text = table(base("input", rule), *chains)
    ruleset = read(SourceFile("rules.nft", text)).ruleset
    assert only(check("IPT104", ruleset)).span.text == "chain webmail"


@pytest.mark.parametrize("name", ["Input", "PREROUTING", "postrouting", "forward", "OUTPUT"])
def test_names_of_hooks(name: str) -> None:
    text = "flush ruleset\n" + table(f"chain {name} {{\n}}")
    assert name.lower() in only(check("IPT111", text)).help


def test_the_hook_line_fits_what_the_chain_does() -> None:
    text = "flush ruleset\n" + table(
        "chain postrouting {\nmasquerade\n}",
        "chain prerouting {\ntcp dport 80 dnat to 10.0.0.2\n}",
        name="ip nat",
    )
    helps = [finding.help for finding in check("IPT111", text)]
    assert "`type nat hook postrouting priority 100;`" in helps[0]
    assert "`type nat hook prerouting priority -100;`" in helps[1]


def test_a_chain_of_iptables_is_hooked_by_its_name() -> None:
    assert check("IPT111", "*filter\n:INPUT ACCEPT [0:0]\nCOMMIT\n") == []


def test_a_file_that_only_adds_to_a_chain_declares_nothing() -> None:
    text = "add rule inet filter input tcp dport 22 accept\n"
    assert check("IPT104", text) == check("IPT111", text) == []


# -- IPT112 -----------------------------------------------------------------------------------


def beside(one: str, other: str, hook: str = "input", kind: str = "filter") -> list[Finding]:
    first = table(base(hook, one, kind=kind), name="inet one")
    return check("IPT112", first + table(base(hook, other, kind=kind), name="inet other"))


@pytest.mark.parametrize(
    ("one", "other", "why"),
    [
        ("meta mark set 1", "meta mark 1 accept", "changes the mark"),
        ("ct mark 1 accept", "ct mark set 1", "changes the ct mark"),
        ("tcp dport 22 drop", "log", "logs packets"),
        ("ip saddr 192.0.2.1 drop", "add @s { ip saddr }", "puts into a set packets"),
    ],
)
def test_the_order_of_chains_matters(one: str, other: str, why: str) -> None:
    sets = "set s {\ntype ipv4_addr\nflags dynamic\n}\n"
    first = table(base("input", one), name="inet one")
    finding = only(check("IPT112", first + table(sets, base("input", other), name="inet other")))
    assert why in finding.message
    assert finding.advice == "write `priority 1;` in the one that is to be asked last"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("tcp dport 22 drop", "tcp dport 22 accept"),
        ("tcp dport 22 drop", "tcp dport 22 drop"),
        ("tcp dport 22 drop", "tcp dport 23 log"),
        ("tcp dport 22 accept", "log"),
        ("meta mark set 1", "ct mark 1 accept"),
        ("tcp dport 22 meta mark set 1", "tcp dport 23 meta mark 1 drop"),
    ],
)
def test_the_order_of_chains_does_not_matter(one: str, other: str) -> None:
    assert beside(one, other) == []


def test_two_translations_of_a_packet() -> None:
    nat = {"hook": "prerouting", "kind": "nat"}
    assert "lines" not in only(beside("dnat ip to 10.0.0.1", "dnat ip to 10.0.0.2", **nat)).message
    assert beside("dnat ip to 10.0.0.1", "dnat ip to 10.0.0.1", **nat) == []
    assert beside("tcp dport 1 dnat ip to 10.0.0.1", "udp dport 1 redirect", **nat) == []


# -- IPT405 -----------------------------------------------------------------------------------


def test_a_table_in_which_software_has_chains_is_not_deleted() -> None:
    shared = "table ip filter {\n chain DOCKER-USER {\n meta mark set 1\n }\n}\n"
    finding = only(check("IPT405", SHEBANG + RULES + shared))
    assert "delete table ip filter" not in finding.help
    assert "flush chain ip filter DOCKER-USER" in finding.help


RULES = table(base("input", "tcp dport 22 accept"))


def test_rules_that_each_reload_doubles() -> None:
    finding = only(check("IPT405", SHEBANG + RULES))
    assert finding.advice == "write before it: add table inet filter; delete table inet filter"


def test_what_a_new_table_loses_is_said() -> None:
    """What a program has put into a set while the host ran is in no file."""
    banned = "set banned { type ipv4_addr; flags dynamic; }\nchain input"
    finding = only(check("IPT405", SHEBANG + RULES.replace("chain input", banned)))
    assert "what was put into banned while it ran is lost each time" in finding.help


@pytest.mark.parametrize(
    "before",
    [
        "flush ruleset",
        "flush ruleset inet",
        "delete table inet filter",
        "destroy table inet filter",
        "flush table inet filter",
        "table inet filter\nflush chain inet filter input",
        "create table inet filter",
        'include "/etc/nftables.d/*.nft"',
    ],
)
def test_files_that_may_be_loaded_again(before: str) -> None:
    assert check("IPT405", f"{SHEBANG}{before}\n{RULES}") == []


def test_a_flush_of_something_else() -> None:
    for before in ("flush ruleset ip", "flush table ip filter", "flush chain inet filter output"):
        assert len(check("IPT405", f"{SHEBANG}{before}\n{RULES}")) == 1


def test_what_belongs_to_the_host_is_not_deleted() -> None:
    finding = only(check("IPT405", SHEBANG + "add rule inet filter input tcp dport 22 accept\n"))
    advice = "flush chain inet filter input (where nobody else has rules in it)"
    assert finding.advice == f"write before it: {advice}"


def test_a_service_may_flush_first() -> None:
    assert check("IPT405", ruleset_of(RULES, "/etc/sysconfig/nftables.conf")) == []
    assert len(check("IPT405", ruleset_of(RULES, "/etc/nftables.conf"))) == 1


# -- IPT406 -----------------------------------------------------------------------------------


def test_a_flush_and_a_dump_of_the_host() -> None:
    flush = "flush ruleset\n" + RULES
    dump = table("chain DOCKER {\n}", base("forward", "jump DOCKER"), name="ip filter")
    finding = only(check("IPT406", flush, dump))
    assert "docker" in finding.message
    assert finding.help.endswith("add table inet filter; delete table inet filter")
    assert check("IPT406", "flush ruleset ip6\n" + RULES, dump) == []
    assert check("IPT406", flush, RULES) == []


# -- IPT505 -----------------------------------------------------------------------------------


def ladder(*rules: str) -> list[Finding]:
    return check("IPT505", table("chain a {\n}", base("input", *rules)))


@pytest.mark.parametrize(
    ("keys", "values"),
    [
        ("tcp dport", ("22", "80", "https", "25")),
        ("iifname", ('"a0"', '"b0"', "c0", '"d0"')),
        ("ip saddr", ("192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4")),
        ("meta mark", ("0x1", "0x2", "3", "4")),
        ("ip protocol", ("tcp", "udp", "icmp", "gre")),
        ("meta l4proto", ("tcp", "udp", "icmp", "47")),
        ("ct state", ("new", "established", "related", "invalid")),
        ("icmp type", ("echo-request", "echo-reply", "time-exceeded", "redirect")),
    ],
)
def test_one_map_for_many_rules(keys: str, values: tuple[str, ...]) -> None:
    verdicts = ("accept", "jump a", "drop", "return")
    pairs = list(zip(values, verdicts, strict=True))
    finding = only(ladder(*(f"{keys} {value} {verdict}" for value, verdict in pairs)))
    inside = ", ".join(f"{value} : {verdict}" for value, verdict in pairs)
    written = f"{keys} vmap {{ {inside} }}"
    assert finding.help == f"in the place of the first, the others taken out: `{written}`"
    ruleset_of(table("chain a {\n}", base("input", written)))


@pytest.mark.parametrize(
    "odd",
    [
        "tcp dport 22 drop",
        "tcp dport 30-40 drop",
        "tcp dport != 30 drop",
        "tcp dport 30 counter drop",
        "tcp dport 30 counter packets 0 bytes 0 drop",
        "tcp dport 30 log drop",
        "tcp dport 30 reject",
        "tcp dport 30 limit rate 1/second drop",
        "tcp dport 30 ip saddr 192.0.2.1 drop",
        "tcp sport 30 drop",
        "udp dport 30 drop",
        'tcp dport 30 drop comment "kept"',
        "ct status dnat drop",
    ],
)
def test_a_rule_that_no_map_can_hold(odd: str) -> None:
    assert ladder("tcp dport 22 accept", "tcp dport 80 jump a", odd, "tcp dport 25 drop") == []


def test_a_mark_that_changes_on_the_way() -> None:
    rules = [f"meta mark {n} {verdict}" for n, verdict in enumerate(("accept", "jump a") * 2, 1)]
    assert len(check("IPT505", table("chain a {\n}", base("input", *rules)))) == 1
    assert check("IPT505", table("chain a {\nmeta mark set 2\n}", base("input", *rules))) == []


# -- IPT905 -----------------------------------------------------------------------------------


def by_index(*rules: str) -> list[Finding]:
    return check("IPT905", table(base("forward", *rules)))


@pytest.mark.parametrize(
    ("name", "severity"),
    [
        ("eth0", Severity.INFO),
        ("enp3s0f1np1", Severity.INFO),
        ("wlan0", Severity.INFO),
        ("wan", Severity.INFO),
        ("ppp0", Severity.WARNING),
        ("wg0", Severity.WARNING),
        ("docker0", Severity.WARNING),
        ("br-3f2a9c", Severity.WARNING),
        ("eth0.100", Severity.WARNING),
        ("bond0", Severity.WARNING),
        ("veth1a2b", Severity.WARNING),
    ],
)
def test_interfaces_that_come_and_go(name: str, severity: Severity) -> None:
    finding = only(by_index(f'iif "{name}" accept'))
    assert finding.severity is severity
    assert finding.help == f'compare names: iifname "{name}"'


DEVICES = [
    ("flowtable f { hook ingress priority 0; devices = { %s }; }", "the flowtable f is on "),
    ("chain c { type filter hook ingress devices = { %s } priority 0; }", "the chain c is on "),
]


@pytest.mark.parametrize(("block", "begins"), DEVICES)
@pytest.mark.parametrize(
    ("devices", "words"),
    [
        ("eth0", None),
        ("lo, eth1", None),
        ("eth0, ppp0", "ppp0: if ppp0 is not there"),
        ("wg0, ppp0", "wg0 and ppp0: if one of them is not there"),
    ],
)
def test_devices_that_come_and_go(block: str, begins: str, devices: str, words: str | None) -> None:
    found = check("IPT905", "table inet t {\n" + block % devices + "\n}\n")
    assert [finding.message.startswith(f"{begins}{words}") for finding in found] == (
        [] if words is None else [True]
    )


def test_one_finding_for_each_interface() -> None:
    found = by_index("iif eth0 accept", "oif eth0 accept", "iif != eth0 oif { eth0, ppp0 } drop")
    assert [len(finding.related) for finding in found] == [3, 0]
    assert "these 4 tests" in found[0].message


@pytest.mark.parametrize("rule", ["iif lo accept", "iifname ppp0 accept", "iif != 0 accept"])
def test_interfaces_that_are_there(rule: str) -> None:
    assert by_index(rule) == []


def test_a_number_of_an_interface_that_is_gone() -> None:
    finding = only(by_index("iif 12 accept"))
    assert finding.severity is Severity.WARNING
    assert "the number 12" in finding.message
