"""The page as text: everything is in it, nothing in it is acted upon, and it stays small."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from importlib import resources

import pytest

from iptlint.linter.report import Report
from iptlint.linter.run import lint
from iptlint.reports.html.about_host import AboutHost
from iptlint.reports.html.environment import environment
from iptlint.reports.html.page import html_report
from iptlint.rules.registry import Profile
from iptlint.source import SourceFile
from tests.expectations import FIXTURES
from tests.firewalls import saved

HOSTS = ("docker-host", "ufw-host", "nft-firewalld", "kube-node")
SSH = "-A INPUT -i eth0 -p tcp --dport 22 -j ACCEPT"
HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</script><script>alert(1)</script>",
    "<!--",
    "{{ 7*7 }}{% raw %}",
    "]]>\u202e\u2066",
    "' onmouseover='alert(1)",
)


class Page(HTMLParser):
    """``tags``: what stands in the page, with its attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, list[str]] = {}
        self._open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._open.append(tag)

    def handle_data(self, data: str) -> None:
        if self._open:
            self.texts.setdefault(self._open[-1], []).append(data)

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop() != tag:
            pass

    def attributes(self, name: str) -> Iterator[str]:
        return (each[name] or "" for _, each in self.tags if name in each)


def report_of(*texts: tuple[str, str], **more: object) -> Report:
    return lint([SourceFile(*text) for text in texts], overview=True, **more)  # type: ignore[arg-type]


def host(name: str) -> Report:
    files = sorted((FIXTURES / "hosts" / name).iterdir())
    return report_of(*((path.name, path.read_text("utf-8")) for path in files))


@pytest.fixture(scope="module", params=HOSTS)
def shown(request: pytest.FixtureRequest) -> tuple[Report, str]:
    report = host(request.param)
    return report, html_report(report)


def words(page: str) -> str:
    text = re.sub(r"<(script|style)\b.*?</\1>", "", page, flags=re.DOTALL)
    text = re.sub(r"<[^>]*>", "", text)
    for entity, character in (("&lt;", "<"), ("&gt;", ">"), ("&#34;", '"'), ("&#39;", "'")):
        text = text.replace(entity, character)
    return " ".join(text.replace("&amp;", "&").split())


def test_every_finding_is_in_it(shown: tuple[Report, str]) -> None:
    report, page = shown
    told = words(page)
    for finding in report.findings:
        assert " ".join(finding.message.split()) in told
        assert " ".join(finding.help.split()) in told
        assert finding.code in told
    assert page.count("<article") == len(report.findings)


def test_it_is_one_file_that_runs_one_script(shown: tuple[Report, str]) -> None:
    """No other resource, no style or handler in an attribute, and a policy that names the hashes of
    the one script and the one style."""
    page = Page(shown[1])
    (policy,) = [a["content"] for t, a in page.tags if a.get("http-equiv")]
    assert policy is not None
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    names = {name for _, attributes in page.tags for name in attributes}
    assert not [name for name in names if name.startswith("on")]
    assert not names & {"style", "src", "srcset", "action", "background", "data", "srcdoc"}
    assert not {tag for tag, _ in page.tags} & {"link", "img", "iframe", "object", "base", "embed"}
    for tag in ("script", "style"):
        (text,) = re.findall(rf"<{tag}>(.*?)</{tag}>", shown[1], re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy


def test_every_link_within_leads_somewhere(shown: tuple[Report, str]) -> None:
    page = Page(shown[1])
    ids = [*page.attributes("id")]
    assert len(ids) == len({*ids})
    links = [*page.attributes("href")]
    assert {link[1:] for link in links if link.startswith("#")} <= {*ids}
    outside = {link.split("/")[2] for link in links if not link.startswith("#")}
    assert outside <= {"iptlint.readthedocs.io"}


def test_every_packet_that_can_be_asked_has_an_answer(shown: tuple[Report, str]) -> None:
    asked = data(shown[1])
    assert asked["answers"]
    for answer in asked["answers"]:
        covered = sorted(tuple(r) for e in answer["endings"] for r in e["ports"])
        after = 0
        for low, high in covered:
            assert low <= after
            after = max(after, high + 1)
        assert after == 65536
        for ending in answer["endings"]:
            assert all(0 <= step < len(asked["steps"]) for step in ending["steps"])


def data(page: str) -> dict:  # type: ignore[type-arg]
    (text,) = re.findall(r'<script type="application/json" id="asked">(.*?)</script>', page)
    found: dict = json.loads(text)  # type: ignore[type-arg]
    return found


def chips(*rules: str) -> list[tuple[str, int]]:
    page = html_report(report_of(("rules.v4", saved(*rules, policy="DROP"))))
    return [(each["protocol"], each["port"]) for each in data(page)["ports"]]


def test_a_port_that_a_rule_denies_is_asked_with_a_click() -> None:
    """Why it is dropped is what an operator comes for; a gap between open ports is no rule's."""
    denied = "-A INPUT -p tcp -m tcp --dport 3306 -j DROP"
    opened = "-A INPUT -p tcp -m multiport --dports 993,995 -j ACCEPT"
    assert chips(denied, opened) == [("tcp", port) for port in (22, 993, 995, 3306)]
    many = [f"-A INPUT -p udp -m udp --dport {port} -j ACCEPT" for port in range(9000, 9040, 2)]
    assert ("tcp", 3306) not in chips(denied, *many)


@pytest.mark.parametrize("nasty", HOSTILE)
def test_what_a_file_holds_is_text(nasty: str) -> None:
    """In comments, names of chains and sets, paths and messages."""

    def page(word: str) -> str:
        name, word = re.sub(r"[\s\"']", "_", word)[:25], word.replace('"', "")
        text = saved(
            f'-A INPUT -p tcp --dport 22 -m comment --comment "{word}" -j ACCEPT',
            f"-A INPUT -j {name}",
            f"-A {name} -m set --match-set {name} src -j DROP",
            f"-A INPUT -j DROP {word}",
            policy="DROP",
            chains=name,
        )
        return html_report(report_of((f"{word}/rules.v4", text)))

    tags, attributes = written()
    shown = Page(page(nasty)).tags
    assert {tag for tag, _ in shown} <= tags | {"svg", "g", "rect", "path", "text"}
    drawn = {"width", "height", "viewbox", "x", "y", "rx", "d"}
    assert {name for _, each in shown for name in each} <= attributes | drawn
    scripts = [attributes for tag, attributes in shown if tag == "script"]
    assert scripts == [{"type": "application/json", "id": "asked"}, {}]


def written() -> tuple[set[str], set[str]]:
    """The tags and attributes that the templates have."""
    folder = resources.files("iptlint.reports.html") / "templates"
    text = "".join(p.read_text("utf-8") for p in folder.iterdir() if p.name.endswith(".html"))
    return {*re.findall(r"<([a-z]\w*)", text)}, {*re.findall(r"[\s}]([a-z-]+)(?:=|(?=>))", text)}


# -- the first screen -----------------------------------------------------------------------------

HEADLINES = [
    (saved(SSH, policy="DROP"), "Open to the internet: remote login (SSH)."),
    (
        saved(policy="DROP"),
        "Nothing on this host is open to the internet over IPv4; of IPv6 these files say nothing.",
    ),
    (saved(policy="ACCEPT"), "Every port of this host is open to the internet."),
    (
        saved("-A POSTROUTING -o eth0 -j MASQUERADE", table="nat"),
        "These files do not say what may come in from the internet.",
    ),
    (
        saved("-A INPUT -p tcp --dport 22 -m set --match-set ok src -j ACCEPT", policy="DROP"),
        "Nothing is open to everyone on the internet, some things to a few over IPv4; of IPv6 "
        "these files say nothing.",
    ),
    (
        saved("-A INPUT -i eth0 -p tcp --dport 6379 -j ACCEPT", policy="DROP"),
        "Open to the internet: Redis.",
    ),
    (
        saved("-A INPUT -i eth0 -p tcp --dport 31337 -j ACCEPT", policy="DROP"),
        "Open to the internet: TCP port 31337.",
    ),
]


@pytest.mark.parametrize(("text", "headline"), HEADLINES)
def test_the_first_sentence(text: str, headline: str) -> None:
    told = words(html_report(report_of(("rules.v4", text))))
    assert headline in told


def test_nothing_is_open_where_both_families_say_so() -> None:
    both = ("rules.v4", saved(policy="DROP")), ("rules.v6", saved(policy="DROP"))
    assert "Nothing on this host is open to the internet." in words(html_report(report_of(*both)))


def test_the_first_sentence_names_a_service_once() -> None:
    four = "-A INPUT -p tcp -m multiport --dports 80,443 -j ACCEPT"
    six = "-A INPUT -p tcp -m multiport --dports 443,8443 -j ACCEPT"
    files = ("rules.v4", saved(four, policy="DROP")), ("rules.v6", saved(six, policy="DROP"))
    told = words(html_report(report_of(*files)))
    assert "Open to the internet: web (HTTP), web (HTTPS), web, second port (HTTPS)." in told


def test_a_rate_does_not_close_a_port_and_is_told() -> None:
    limit = "-A INPUT -i eth0 -p tcp --dport 22 -m limit --limit 3/min -j ACCEPT"
    told = words(html_report(report_of(("rules.v4", saved(limit, policy="DROP")))))
    assert "Open to the internet: remote login (SSH)." in told
    assert "up to a rate: line 5: limit rate 3/minute" in told


TRIES = (
    "-A INPUT -p tcp --dport 22 -m recent --set --name tries",
    "-A INPUT -p tcp --dport 22 -m recent --update --seconds 60 --hitcount 4 --name tries -j DROP",
    "-A INPUT -p tcp --dport 22 -j ACCEPT",
)


def test_a_count_of_tries_does_not_hide_that_a_port_is_open() -> None:
    """Whoever comes for the first time is let in (xt_recent.c)."""
    web = "-A INPUT -p tcp --dport 80 -j ACCEPT"
    told = words(html_report(report_of(("rules.v4", saved(*TRIES, policy="DROP")))))
    assert "Open to the internet on a condition: remote login (SSH)." in told
    assert "Open to everyone on a condition" in told
    told = words(html_report(report_of(("rules.v4", saved(web, *TRIES, policy="DROP")))))
    assert "Open to the internet: web (HTTP); on a condition: remote login (SSH)." in told


def test_what_only_those_get_to_who_have_knocked_is_not_open_to_everyone() -> None:
    knock = "-A INPUT -p tcp --dport 22 -m recent --rcheck --seconds 9 --name knock -j ACCEPT"
    told = words(html_report(report_of(("rules.v4", saved(knock, policy="DROP")))))
    assert "Nothing is open to everyone on the internet, some things to a few" in told
    assert "Open to everyone on a condition" not in told


def test_what_is_sent_on_if_the_route_leads_there_is_in_the_first_sentence() -> None:
    """A port that a router forwards: which way leads to its new destination no rule says."""
    dnat = "-A PREROUTING -i eth0 -p tcp --dport 443 -j DNAT --to-destination 192.168.7.20"
    passes = "-A FORWARD -i eth0 -o eth1 -p tcp --dport 443 -j ACCEPT"
    others = "-A FORWARD -i eth2 -o eth0 -j ACCEPT"
    masquerade = "-A POSTROUTING -o eth0 -j MASQUERADE"
    nat = saved(dnat, masquerade, table="nat")
    text = nat + saved(passes, others, policy="DROP").replace(":FORWARD ACCEPT", ":FORWARD DROP")
    told = words(html_report(report_of(("rules.v4", text))))
    assert "Open to the internet on a condition: web (HTTPS)." in told
    assert "it leaves by eth1" in told


def test_a_list_of_those_who_may_is_not_open_to_everyone() -> None:
    rule = "-A INPUT -p tcp --dport 22 -m set --match-set ok src -m time --timestart 9:00 -j ACCEPT"
    told = words(html_report(report_of(("rules.v4", saved(rule, policy="DROP")))))
    assert "Open to everyone on a condition" not in told


@pytest.mark.parametrize(
    "rules",
    [
        ["-A INPUT -s 203.0.113.0/24 -p tcp -m tcp --dport 443 -j ACCEPT"],
        ["-A INPUT ! -s 81.0.0.0/8 -j DROP", "-A INPUT -p tcp -m tcp --dport 443 -j ACCEPT"],
    ],
    ids=["accepted", "others are denied"],
)
def test_what_some_networks_get_to_is_not_said_to_be_closed(rules: list[str]) -> None:
    """A network of millions is of the internet, too; one that nobody out there has is not."""
    told = words(html_report(report_of(("rules.v4", saved(*rules, policy="DROP")))))
    assert "Nothing is open to everyone on the internet, some things to a few over IPv4" in told
    assert "Open only to some packets (1)" in told
    private = "-A INPUT -s 10.0.0.0/8 -p tcp -m tcp --dport 443 -j ACCEPT"
    told = words(html_report(report_of(("rules.v4", saved(private, policy="DROP")))))
    assert "Nothing on this host is open to the internet over IPv4" in told


def test_who_is_banned_does_not_make_a_port_open_to_a_few() -> None:
    rules = ("-A INPUT -s 9.9.9.0/24 -j DROP", SSH)
    told = words(html_report(report_of(("rules.v4", saved(*rules, policy="DROP")))))
    assert "Open to the internet: remote login (SSH)." in told
    assert "Open only to some packets" not in told


def test_by_which_interface_the_internet_is_taken_to_come_is_said() -> None:
    said = "taken to come in by an interface that no rule names: not by br0v100, br0v700"
    rules = [f"-A INPUT -i {name} -p tcp --dport 22 -j DROP" for name in ("br0v100", "br0v700")]
    assert said in words(html_report(report_of(("rules.v4", saved(*rules, policy="ACCEPT")))))
    docker = saved("-A INPUT -i docker0 -p tcp --dport 22 -j DROP", policy="ACCEPT")
    assert "no rule names" not in words(html_report(report_of(("rules.v4", docker))))


def test_why_a_packet_is_let_through_is_a_sentence() -> None:
    nat = saved("-A POSTROUTING -o eth0 -j MASQUERADE", table="nat")
    asked = data(html_report(report_of(("rules.v4", nat))))
    reasons = {ending["by"] for each in asked["answers"] for ending in each["endings"]}
    assert reasons == {"as no chain has a say"}


def test_what_nobody_said_of_ipv6_is_said() -> None:
    told = words(html_report(report_of(("rules.v4", saved(SSH, policy="DROP")))))
    assert "Nothing here says what may come in over IPv6" in told


def test_a_host_without_rules_is_open() -> None:
    """A live host on which no rule runs has no findings; its page is not the one of a good host."""
    about = AboutHost(("host: web-01",), name="web-01", unprotected=True)
    page = html_report(lint([], overview=True), about)
    assert "Every port of this host is open to the internet: no firewall rule runs." in page
    assert '<p class="about">web-01' in page
    assert "about findings alone" not in page
    assert "Nothing is urgent" not in page
    assert "Every port" not in html_report(lint([], overview=True), AboutHost(name="web-01"))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [("nobody gets in", "Nobody gets in"), ("eni-0a1 is among them", "eni-0a1 is among them")],
)
def test_a_name_is_written_as_it_is(text: str, sentence: str) -> None:
    """An interface of a cloud is called by its name, at the beginning of a sentence too."""
    assert environment().filters["sentence"](text) == sentence


def test_a_line_is_not_broken_behind_the_dash_of_an_option() -> None:
    broken = environment().filters["options"]('-A INPUT <b> -j "a-b"')
    option = '<span class="option">{}</span>'
    whole = f"{option.format('-A')} INPUT &lt;b&gt; {option.format('-j')} &#34;a-b&#34;"
    assert broken == whole


def test_open_over_ipv6_alone() -> None:
    six = saved(policy="ACCEPT")
    told = words(html_report(report_of(("rules.v4", saved(policy="DROP")), ("rules.v6", six))))
    assert "Every port of this host is open to the internet over IPv6." in told


def test_a_dangerous_service_says_why() -> None:
    text = saved("-A INPUT -i eth0 -p tcp --dport 6379 -j ACCEPT", policy="DROP")
    assert "Seldom meant to be public. Redis: " in words(html_report(report_of(("rules.v4", text))))


def test_who_is_locked_out() -> None:
    told = words(html_report(report_of(("rules.v4", saved(policy="DROP")))))
    assert "Could you lock yourself out? Yes" in told
    assert "SSH can be opened" in words(
        html_report(
            report_of(
                (
                    "rules.v4",
                    saved("-A INPUT -m state --state ESTABLISHED -j ACCEPT", SSH, policy="DROP"),
                )
            )
        )
    )


def test_the_benchmark_has_its_items() -> None:
    report = report_of(("rules.v4", saved(SSH, policy="DROP")), profile=Profile.CIS)
    assert report.items
    told = words(html_report(report))
    assert all(item.item.title in told for item in report.items)


# -- size -------------------------------------------------------------------------------------


def test_of_a_long_file_only_what_is_told_of_is_shown() -> None:
    """Its size does not grow with the file."""
    rules = [
        f"-A INPUT -s 10.{n // 250}.{n % 250}.0/24 -p tcp --dport 22 -j ACCEPT" for n in range(4000)
    ]
    report = report_of(("rules.v4", saved(*rules, policy="DROP")))
    page = html_report(report)
    assert len(page) < 600_000
    assert "nothing is told of them" in page
    many = dataclasses.replace(report, findings=report.findings[:1] * 1000)
    assert len(html_report(many)) < 4_000_000


def test_a_dead_line_says_so() -> None:
    page = html_report(report_of(("rules.v4", saved("-A INPUT -j DROP", SSH, policy="DROP"))))
    assert re.search(
        r'class="dead"><code>-A INPUT -i eth0[^<]*</code> <span class="tag">no packet', page
    )


def test_without_an_overview_the_findings_are_there() -> None:
    """As where a text could not be read."""
    report = dataclasses.replace(report_of(("x", "what is this")), overviews=())
    assert "IPT" in words(html_report(report))
