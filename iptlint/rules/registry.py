"""The lint rules there are: every module ``ipt*.py`` in a folder of this package is one."""

from __future__ import annotations

import difflib
import importlib
import inspect
import pkgutil
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cache, lru_cache
from types import ModuleType

import iptlint.rules
from iptlint.analysis.session import Context
from iptlint.findings import Finding
from iptlint.findings.finding import page_of
from iptlint.findings.suppressions import Suppressed
from iptlint.rules.meta import Meta

SECTIONS = ("What it does", "Why it matters", "Example", "Fix", "When it is wrong", "References")

_HEADING = re.compile(r"^## (.+)$", re.MULTILINE)


CheckComments = Callable[[Suppressed, Collection[str]], Iterator[Finding]]
"""Of what the comments hid, and the codes of the rules that ran."""


class UnknownRuleError(ValueError):
    """A code, name or prefix that no rule has; the text is a sentence for the user."""


@dataclass(frozen=True, slots=True)
class RuleModule:
    """A lint rule: what it is called, what its documentation says, and how it looks.

    ``documentation``: of the module, as it is written. ``check_comments``: of a rule about what
    comments hide, which asks what all the others find.
    """

    meta: Meta
    documentation: str
    check: Callable[[Context], Iterator[Finding]]
    check_comments: CheckComments | None = None

    @property
    def summary(self) -> str:
        return inspect.cleandoc(self.documentation).partition("\n")[0].strip()

    @property
    def sections(self) -> dict[str, str]:
        """What stands below each heading."""
        _, *parts = _HEADING.split(inspect.cleandoc(self.documentation).partition("\n")[2])
        return {
            title.strip(): text.strip() for title, text in zip(parts[::2], parts[1::2], strict=True)
        }

    @property
    def url(self) -> str:
        return page_of(self.meta.code)


@cache
def rules() -> tuple[RuleModule, ...]:
    """Every lint rule, by code."""
    return tuple(map(rule_of, _modules()))


@cache
def _modules() -> Mapping[str, str]:
    """The module of each code, which its file is called by."""
    modules = pkgutil.walk_packages(iptlint.rules.__path__, "iptlint.rules.")
    found = (module.name for module in modules if ".ipt" in module.name)
    return dict(sorted((_file(name).partition("_")[0].upper(), name) for name in found))


def _file(module: str) -> str:
    return module.rpartition(".")[2]


def _rule(module: ModuleType) -> RuleModule:
    check_comments = getattr(module, "check_comments", None)
    return RuleModule(module.META, module.__doc__ or "", module.check, check_comments)


@cache
def names() -> Mapping[str, str]:
    """The name of each code, which its file is called by too: nothing is imported for it."""
    return {
        code: _file(module).partition("_")[2].replace("_", "-")
        for code, module in _modules().items()
    }


@cache
def rule_of(code: str) -> RuleModule:
    """The rule with this code; ``KeyError`` where there is none."""
    return _rule(importlib.import_module(_modules()[code]))


def meta_of(finding: Finding) -> Meta:
    """What the rule that made the finding says of itself."""
    return rule_of(finding.code).meta


def codes_matching(wanted: str) -> tuple[str, ...]:
    """The codes that a code, a prefix of codes or a name stands for; else UnknownRuleError."""
    if codes := codes_like(wanted):
        return codes
    raise UnknownRuleError(unknown(wanted))


@lru_cache(1024)
def codes_like(wanted: str) -> tuple[str, ...]:
    """The same; none where there is no such rule."""
    text = wanted.strip()
    found = names().items() if text else ()
    return tuple(code for code, name in found if code.startswith(text.upper()) or name == text)


def unknown(wanted: str, *, hint: bool = True) -> str:
    """What is said of a rule that there is none of; with a ``hint``, also which may be meant."""
    text = wanted.strip()
    spellings = {word.lower(): word for pair in names().items() for word in pair}
    near = difflib.get_close_matches(text.lower(), spellings, n=1) if hint else []
    meant = f" (did you mean {spellings[near[0]]}?)" if near else ""
    return f"there is no rule {text!r}{meant}; `iptlint rule` lists them all"


class Profile(Enum):
    """Which rules run where none is selected."""

    DEFAULT = "default"
    STRICT = "strict"
    CIS = "cis"

    def holds(self, rule: RuleModule) -> bool:
        match self:
            case Profile.DEFAULT:
                return not rule.meta.pedantic
            case Profile.STRICT:
                return True
            case Profile.CIS:
                from iptlint.benchmark.table import references

                return bool(references(rule.meta.code))


def selected(
    select: Sequence[str], ignore: Sequence[str], profile: Profile = Profile.DEFAULT
) -> tuple[str, ...]:
    """The codes that ``select`` (those of the profile where it is empty) leaves without
    ``ignore``."""
    of_profile = {rule.meta.code for rule in rules() if profile.holds(rule)}
    chosen = _codes(select) if select else of_profile
    return tuple(code for code in names() if code in chosen - _codes(ignore))


def _codes(wanted: Iterable[str]) -> set[str]:
    return {code for each in wanted for code in codes_matching(each)}
