"""The page in a real browser: opened, searched, filtered, asked, printed, at the width of a phone,
in the light and in the dark."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from iptlint.benchmark.table import Judged
from iptlint.linter.run import lint
from iptlint.reports.html.page import html_report
from iptlint.rules.registry import Profile
from iptlint.source import SourceFile
from tests.expectations import FIXTURES

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium on this machine")

HOST = "docker-host"
WIDE, PHONE = {"width": 1280, "height": 900}, {"width": 375, "height": 740}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_api.sync_playwright() as playwright:
        # As root, chromium has no sandbox to offer.
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield found
        found.close()


def items(sources: list[SourceFile]) -> tuple[Judged, ...]:
    return lint(sources, profile=Profile.CIS).items or ()


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    files = sorted((FIXTURES / "hosts" / HOST).iterdir())
    sources = [SourceFile(path.name, path.read_text("utf-8")) for path in files]
    path = tmp_path_factory.mktemp("report") / "report.html"
    found = lint(sources, overview=True)
    path.write_text(html_report(replace(found, items=items(sources))), "utf-8")
    return path


@pytest.fixture
def page(browser: Browser, report: Path, request: pytest.FixtureRequest) -> Iterator[Page]:
    """Opened without a network; no error, refusal or request may come of it."""
    scheme, viewport = getattr(request, "param", ("light", WIDE))
    context = browser.new_context(color_scheme=scheme, viewport=viewport, offline=True)
    context.set_default_timeout(5000)
    shown = context.new_page()
    wrong: list[str] = []
    shown.on("console", lambda message: wrong.append(message.text))
    shown.on("pageerror", lambda error: wrong.append(str(error)))
    shown.on("request", lambda asked: asked.url.startswith("file:") or wrong.append(asked.url))
    shown.goto(report.as_uri())
    yield shown
    context.close()
    assert wrong == []


def findings(page: Page) -> int:
    return page.locator(".finding:visible").count()


def test_the_first_screen_says_what_is_open(page: Page) -> None:
    first = page.locator("#short .answer").first
    assert first.inner_text() == "Open to the internet: remote login (SSH), web (HTTPS)."
    box = first.bounding_box()
    assert box is not None
    assert box["y"] + box["height"] < WIDE["height"]


def test_findings_are_searched_and_filtered(page: Page) -> None:
    every = findings(page)
    page.keyboard.press("/")
    page.keyboard.type("IPT851")
    assert findings(page) == 1
    assert page.locator("#shown").inner_text() == f"1 of {every} shown"
    page.locator("#search").fill("")
    page.get_by_role("checkbox", name="error").uncheck()
    assert 0 < findings(page) < every
    assert page.locator(".finding.error:visible").count() == 0
    page.get_by_role("checkbox", name="error").check()
    page.locator("#group").select_option(label="exposure")
    assert 0 < findings(page) < every


def test_a_link_to_a_finding_that_is_filtered_away_shows_it(page: Page) -> None:
    page.locator("#search").fill("nothing is called so")
    assert findings(page) == 0
    page.locator(".steps a").first.click()
    assert findings(page) > 0
    assert page.locator(".finding:target").is_visible()


def test_a_packet_is_asked(page: Page) -> None:
    """Why is it dropped: two clicks from the top of the page to the line."""
    page.get_by_role("link", name="Ask about a packet").click()
    page.get_by_label("To port").fill("3306")
    answer = page.locator("#answer")
    assert "Not let through: tcp to port 3306" in answer.inner_text()
    assert "by the policy of ip filter INPUT rules.v4:22" in answer.inner_text()
    assert re.search(r" -> \S+:3306 in ", answer.inner_text())
    page.get_by_role("button", name="tcp 22").click()
    assert "Let through: tcp to port 22" in answer.inner_text()
    answer.locator("a.place").first.click()
    assert page.locator("li:target").inner_text().startswith("-A INPUT -i eth0 -p tcp")
    page.get_by_role("button", name="tcp 443").click()
    assert "becomes: tcp 198.51.100.7" in answer.inner_text()
    assert "172.18.0.2:443" in answer.inner_text()
    page.get_by_label("To port").fill("70000")
    assert answer.inner_text() == "A port is a number from 0 to 65535."


def test_the_keyboard_is_enough(page: Page) -> None:
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "To the report"
    page.get_by_label("To port").focus()
    page.keyboard.press("ArrowUp")
    assert "tcp to port 23" in page.locator("#answer").inner_text()


def test_it_prints(page: Page, tmp_path: Path) -> None:
    printed = page.pdf(format="A4")
    assert printed.startswith(b"%PDF-")
    assert 20_000 < len(printed) < 2_000_000
    page.emulate_media(media="print")
    assert not page.locator("nav").is_visible()
    assert page.locator("#short .answer").first.is_visible()


def test_on_paper_no_word_is_broken_and_nothing_cut_off(page: Page) -> None:
    """A4 is narrower than a screen."""
    page.set_viewport_size({"width": 794, "height": 1123})
    page.emulate_media(media="print")
    cut = page.evaluate(
        "[...document.querySelectorAll('.card')].filter((c) => c.scrollWidth > c.clientWidth)"
        ".map((each) => each.innerText)"
    )
    assert cut == []
    options = page.locator("#findings .option")
    assert options.count() > 0
    assert {box["height"] for each in options.all() if (box := each.bounding_box())} < {*range(30)}


LOOKS = [("light", WIDE), ("dark", WIDE), ("light", PHONE), ("dark", PHONE)]
NAMES = ["light", "dark", "light-phone", "dark-phone"]


@pytest.mark.parametrize("page", LOOKS, indirect=True, ids=NAMES)
def test_axe_finds_nothing(page: Page) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    found = axe.run(page).response["violations"]
    assert [(each["id"], [node["html"][:200] for node in each["nodes"]]) for each in found] == []


@pytest.mark.parametrize("page", LOOKS[2:], indirect=True, ids=NAMES[2:])
def test_a_phone_needs_no_scrolling_sideways(page: Page) -> None:
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_a_policy_forbids_what_a_file_might_smuggle_in(browser: Browser, report: Path) -> None:
    """Even if a tag were let through, it would not run."""
    page = browser.new_page()
    page.goto(report.as_uri())
    ran = page.evaluate(
        """() => {
            const node = document.createElement("script");
            node.textContent = "window.smuggled = true";
            document.body.append(node);
            return window.smuggled === true;
        }"""
    )
    page.close()
    assert ran is False
