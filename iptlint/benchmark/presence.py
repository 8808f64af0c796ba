"""Items about what is there: tools, tables, chains."""

from __future__ import annotations

from iptlint.benchmark.answers import Answer, Decide, Verdict, cannot_tell, fails, passes
from iptlint.benchmark.host import BenchmarkHost, Tool, host_tables
from iptlint.model import Hook
from iptlint.packets.describe.lists import listed

_HOOKS = (Hook.INPUT, Hook.FORWARD, Hook.OUTPUT)


def on_the_host(what: str) -> Decide:
    """An item that no ruleset decides; ``what`` does."""
    return lambda host, tool: cannot_tell(f"needs the host: {what}")


def single_tool(host: BenchmarkHost, tool: Tool) -> Answer:
    for one, other in host.rivals():
        both = f"{one.tool.value} and {other.tool.value} both filter what comes in"
        return Answer(Verdict.FAIL, both, other.span)
    named = listed([each.value for each in host.tools if each is not Tool.IP6TABLES])
    return cannot_tell(f"needs the host: these files are of {named}")


def not_beside(other: Tool) -> Decide:
    """The other tool is not in use as well."""

    def decide(host: BenchmarkHost, tool: Tool) -> Answer:
        uses = (use for pair in host.rivals() for use in pair if use.tool is other)
        for use in uses:
            return Answer(Verdict.FAIL, f"{other.value} filters what comes in as well", use.span)
        return cannot_tell(f"needs the host: is {other.value} in use too?")

    return decide


def nft_table(host: BenchmarkHost, tool: Tool) -> Answer:
    if any(ruleset.tables for ruleset in host.rulesets(tool)):
        return passes()
    return fails("there is no table")


def nft_base_chains(host: BenchmarkHost, tool: Tool) -> Answer:
    hooks = {
        chain.hook
        for ruleset in host.rulesets(tool)
        for table in host_tables(ruleset)
        for chain in table.base_chains()
        if chain.type == "filter"
    }
    missing = [hook.value for hook in _HOOKS if hook not in hooks]
    if not missing:
        return passes()
    for doubt in filter(None, map(host.doubt, host.rulesets(tool))):
        return cannot_tell(doubt)
    return fails(f"no filter chain has the hook {listed(missing)}")


def nft_backend(host: BenchmarkHost, tool: Tool) -> Answer:
    if all(ruleset.is_nft for ruleset in host.rulesets(tool)):
        return passes()
    return fails("firewalld writes its rules with iptables")
