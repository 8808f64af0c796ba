"""How templates become a page in which a file's names and comments are text and nothing else."""

from __future__ import annotations

import re
from functools import cache
from importlib import resources
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from iptlint.reports.graph.svg import STYLE
from iptlint.reports.html.content_policy import content_policy
from iptlint.reports.safe import visible

_ROOM = "iptlint.reports.html"
_OPTION = Markup('<span class="option">{}</span>')
_LONGEST_OPTION = 40
"""What is longer fits on no telephone, and is broken anywhere."""


@cache
def environment() -> Environment:
    """Everything is escaped; what has no form on a screen is given one."""
    made = Environment(
        loader=PackageLoader(_ROOM),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
        finalize=_shown,
    )
    made.filters["sentence"] = _sentence
    made.filters["options"] = _options
    made.policies["json.dumps_kwargs"] = {"separators": (",", ":"), "ensure_ascii": False}
    return made


def _sentence(text: str) -> str:
    """With a capital, as a sentence that stands by itself; a name (``eni-0a1``, ``fail2ban``) keeps
    its own."""
    is_word = re.match(r"[a-z]+(?![\w.:/-])", text)
    return text[:1].upper() + text[1:] if is_word else text


def _options(text: str) -> Markup:
    """Lines break between words, never behind the dash of an option."""
    words = re.split(r"(\s+)", visible(text))
    return Markup("").join(
        _OPTION.format(word) if word[:1] == "-" and len(word) <= _LONGEST_OPTION else word
        for word in words
    )


def _shown(value: Any) -> Any:
    return visible(value) if type(value) is str else value


def rendered(template: str, *, script: str | None = None, **view: Any) -> str:
    """The page, with its one style and, of that name, its one script, and a policy that lets no
    other run."""
    style, code = _part("report.css") + STYLE, _part(script) if script else ""
    page = environment().get_template(template)
    return page.render(
        policy=content_policy(style, code), script=Markup(code), style=Markup(style), **view
    )


@cache
def _part(name: str) -> str:
    return (resources.files(_ROOM) / "templates" / name).read_text("utf-8")


def plain(value: Any) -> Any:
    """Data for the page's script, with every text in it in a form that a screen can show."""
    match value:
        case str():
            return visible(value)
        case dict():
            return {key: plain(each) for key, each in value.items()}
        case list() | tuple():
            return [plain(each) for each in value]
        case _:
            return value
