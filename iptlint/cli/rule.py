"""``iptlint rule [CODE]``: what the lint rules say of themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from iptlint.cli import options, streams

if TYPE_CHECKING:
    from iptlint.rules.registry import RuleModule


def _codes_and_names_like(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    from iptlint.rules.registry import names

    return [
        word
        for each in zip(*names().items(), strict=True)
        for word in each
        if word.startswith(incomplete)
    ]


@click.command(name="rule", options_metavar="[OPTION…]")
@click.argument("rule", required=False, metavar="[CODE|NAME]", shell_complete=_codes_and_names_like)
@options.output_format
def command(rule: str | None, output_format: str) -> int:
    """Explain a lint rule; without CODE, list them all."""
    from iptlint.reports import rule_docs
    from iptlint.rules.registry import UnknownRuleError, codes_matching, rule_of, rules

    try:
        chosen = [rule_of(code) for code in codes_matching(rule)] if rule else list(rules())
    except UnknownRuleError as error:
        raise click.UsageError(str(error)) from None
    if output_format == "json":
        streams.write_utf8(rule_docs.as_json(chosen))
    else:
        streams.write(
            rule_docs.document(chosen[0]) if _one(rule, chosen) else rule_docs.table(chosen)
        )
    return 0


def _one(rule: str | None, chosen: list[RuleModule]) -> bool:
    return rule is not None and len(chosen) == 1
