"""Sources in, findings out."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain

from oxidd.util import DDMemoryError

from iptlint.analysis.session import Context, Settings
from iptlint.benchmark.host import Host
from iptlint.benchmark.table import Judged, judged
from iptlint.dialects import Diagnostic, Reader, Reading, read, unread
from iptlint.dialects.merging import merged
from iptlint.dialects.sets import only_sets, read_sets, together
from iptlint.findings import Finding, Severity
from iptlint.findings.grouping import grouped
from iptlint.findings.suppressions import Suppressed, apply_suppressions
from iptlint.linter.publish import applies_to, qualified
from iptlint.model import Family, Ruleset
from iptlint.model import host as model
from iptlint.model.sets import SavedSets
from iptlint.rules.reading.ipt005_unused_suppression import misspelt, unused
from iptlint.rules.registry import Profile, RuleModule, names, rule_of, rules, selected
from iptlint.source import SourceFile, Span

CUT_SHORT = ("IPT001", "IPT009", "IPT010")
"""Some of the work was not done. ``select`` does not silence that; only ``ignore`` does."""


@dataclass(frozen=True, slots=True)
class LintedFile:
    """``family``: ip, ip6, inet for both, None where nothing could be read."""

    path: str
    dialect: str
    family: str | None
    rules: int
    opaque: int


@dataclass(frozen=True, slots=True)
class Report:
    """``findings`` are sorted by path, line and code; ``crashed``: a rule or reader failed.
    ``items``: those of the benchmarks, where the profile asks for them."""

    files: tuple[LintedFile, ...]
    findings: tuple[Finding, ...]
    suppressed: int
    crashed: bool
    items: tuple[Judged, ...] | None = None


def lint(
    sources: Sequence[SourceFile],
    settings: Settings | None = None,
    select: Sequence[str] = (),
    ignore: Sequence[str] = (),
    reader: Reader | None = None,
    ipsets: Sequence[SourceFile] = (),
    profile: Profile = Profile.DEFAULT,
    host: model.Host | None = None,
) -> Report:
    """Every selected rule over all the sources together.

    ``select`` and ``ignore`` hold codes, prefixes of codes and names; UnknownRuleError
    where no rule has one; ``profile`` says which run where none is selected. ``reader`` says
    how the sources are read.
    ``ipsets`` are sources that hold sets, whatever they look like; any other source that does
    is known by its text. ``host``: what else is known of the host that the sources are of.
    """
    codes = selected(select, ignore, profile)
    running = codes
    if select and "IPT005" in codes:  # which asks what all the others find
        running = (*codes, *selected((), ignore, profile))
    shown = {*codes, *selected(CUT_SHORT, ignore)}
    crashes: list[Finding] = []
    readings = [_read(source, reader, crashes) for source in sources]
    readings += (_read_as(read_sets, source, crashes) for source in ipsets)
    readings, sets = _together(readings, crashes)
    found = [_finding(each, diagnostic) for each in readings for diagnostic in each.diagnostics]
    items: tuple[Judged, ...] | None = () if profile is Profile.CIS else None
    if readings:
        context = Context(_rulesets(readings, host), settings or Settings(), sets, host)
        if profile is Profile.CIS:
            items = _judge(context, readings, found, crashes)
        for rule in (rule for rule in rules() if rule.meta.code in running):
            found += _run(rule, context, crashes)
    if host is not None:
        found = [qualified(host, finding) for finding in found if applies_to(host, finding)]
    before = [reader.start.source] if reader and reader.start else []
    told = _told(_once((*found, *crashes)), (*sources, *ipsets, *before), running)
    kept = [finding for finding in told.kept if finding.code in shown]
    return Report(
        tuple(map(_linted_file, readings)),
        tuple(grouped(sorted(kept, key=_order))),
        sum(finding.code in shown for finding in told.hidden),
        bool(crashes),
        items,
    )


def _rulesets(readings: Sequence[Reading], host: model.Host | None) -> tuple[Ruleset, ...]:
    """What runs beside each other in one kernel is looked at as one."""
    rulesets = tuple(reading.ruleset for reading in readings)
    return (merged(rulesets),) if host is not None and host.mixed else rulesets


def _judge(
    context: Context, readings: Sequence[Reading], found: list[Finding], crashes: list[Finding]
) -> tuple[Judged, ...]:
    """The items of the benchmarks; none where they cannot be worked out."""
    source = context.rulesets[0].source
    incomplete = [r.ruleset for r in readings if any(p.code in CUT_SHORT for p in r.diagnostics)]
    try:
        return judged(Host(context, incomplete))
    except DDMemoryError:
        found.append(_out_of_room(source, "the benchmark"))
    except (KeyboardInterrupt, SystemExit, GeneratorExit):
        raise
    except BaseException as crash:
        crashes.append(_crash(source, "the benchmark", crash))
    return ()


def _told(
    findings: Sequence[Finding], sources: Sequence[SourceFile], codes: Collection[str]
) -> Suppressed:
    """What the comments leave of the findings, and of those about the comments."""
    sifted = apply_suppressions(findings, sources, names())
    about_comments = [*chain.from_iterable(map(misspelt, sifted.comments))]
    about_comments += (f for comment in sifted.unused for f in unused(comment, codes))
    of_comments = apply_suppressions(about_comments, sources, names())
    return Suppressed(
        sifted.comments,
        (*sifted.kept, *of_comments.kept),
        (*sifted.hidden, *of_comments.hidden),
        sifted.unused,
    )


def _once(findings: Iterable[Finding]) -> list[Finding]:
    """Without those that say the same of the same place: a fault of an inet table is one of ip
    and of ip6."""
    return list({(f.code, f.span, f.message): f for f in reversed([*findings])}.values())[::-1]


def _order(finding: Finding) -> tuple[str, int, str, int]:
    return finding.span.source.path, finding.span.line, finding.code, finding.span.start


def _read(source: SourceFile, reader: Reader | None, crashes: list[Finding]) -> Reading:
    return _read_as(lambda which: read(which, reader), source, crashes)


def _read_as(
    reader: Callable[[SourceFile], Reading], source: SourceFile, crashes: list[Finding]
) -> Reading:
    try:
        return reader(source)
    except Exception as crash:
        # Whatever is wrong in the reader of one file, the other files are still linted.
        crashes.append(_crash(source, "reading the file", crash))
        return unread(source, "unknown")


def _together(
    readings: list[Reading], crashes: list[Finding]
) -> tuple[list[Reading], SavedSets | None]:
    """The readings, each knowing what the sets of the others hold."""
    try:
        readings, sets = together(readings)
    except Exception as crash:
        crashes.append(_crash(readings[0].ruleset.source, "reading the sets", crash))
        return readings, None
    bare = only_sets(readings)
    if bare is not None:
        readings[0] = replace(readings[0], diagnostics=(*readings[0].diagnostics, bare))
    return readings, sets


def _run(rule: RuleModule, context: Context, crashes: list[Finding]) -> Iterator[Finding]:
    source = context.rulesets[0].source
    try:
        yield from rule.check(context)
    except DDMemoryError:
        yield _out_of_room(source, rule.meta.code)
    except (KeyboardInterrupt, SystemExit, GeneratorExit):
        raise
    except BaseException as crash:
        # A bug in one rule must not silence the others, and a panic of the Rust
        # core is no Exception.
        crashes.append(_crash(source, rule.meta.code, crash))


def _crash(source: SourceFile, what: str, crash: BaseException) -> Finding:
    return rule_of("IPT009").meta.finding(
        source.line_span(1),
        f"{what} failed: {type(crash).__name__}: {crash}",
        "this is a bug of iptlint: please report it with the smallest file that shows it",
    )


def _out_of_room(source: SourceFile, code: str) -> Finding:
    return rule_of("IPT010").meta.finding(
        source.line_span(1),
        f"the analysis ran out of room, so {code} did not look at everything",
        "lint the files or tables one by one, or move long lists of addresses into a set",
        likeness="out of room",
    )


def _finding(reading: Reading, diagnostic: Diagnostic) -> Finding:
    return rule_of(diagnostic.code).meta.finding(
        Span(diagnostic.source or reading.ruleset.source, diagnostic.start, diagnostic.end),
        diagnostic.message,
        diagnostic.help,
        severity=Severity(diagnostic.severity),
        likeness=diagnostic.message,
    )


def _linted_file(reading: Reading) -> LintedFile:
    ruleset = reading.ruleset
    families = [name for name in ("ip", "ip6") if ruleset.sees(Family(name))]
    families = families or [family.value for family in ruleset.families]
    return LintedFile(
        ruleset.source.path,
        ruleset.dialect,
        "inet" if len(families) > 1 else next(iter(families), None),
        sum(1 for table in ruleset.tables for _ in table.statements()),
        reading.opaque,
    )
