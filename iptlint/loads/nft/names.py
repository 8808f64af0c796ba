"""Names and comments: words of the language, and what is too long."""

from __future__ import annotations

from iptlint.dialects.nft import tree as t
from iptlint.dialects.nft.execution.state import BlockContext
from iptlint.dialects.nft.parsing.reserved import OF_EVERY_NFT
from iptlint.loads.nft import checks
from iptlint.loads.nft.trial import Trial

_LONGEST_NAME = 255
"""Octets of a name (NFT_NAME_MAXLEN with its zero)."""
_LONGEST_COMMENT = 128
"""Octets of a comment (NFTNL_UDATA_COMMENT_MAXLEN)."""


def check_name(trial: Trial, where: BlockContext, name: t.Value) -> None:
    if name.text in OF_EVERY_NFT and name.kind is t.Kind.SYMBOL and not trial.json:
        cause = f"`{name.text}` is a word of the language, and no name"
        trial.refuse(checks.NAME, where, name, cause, "choose another name")
    elif len(name.text) > _LONGEST_NAME:
        cause = f"the name has {len(name.text)} characters: at most {_LONGEST_NAME} fit"
        trial.refuse(checks.NAME_LENGTH, where, name, cause, "choose a shorter name")


def check_comment(trial: Trial, where: BlockContext, comment: t.Value) -> None:
    if comment.text in OF_EVERY_NFT and comment.kind is t.Kind.SYMBOL and not trial.json:
        cause = f"`{comment.text}` is a word of the language, and no comment"
        trial.refuse(checks.NAME, where, comment, cause, f'write it in quotes: "{comment.text}"')
        return
    length = len(comment.text.encode(errors="surrogateescape"))
    if length > _LONGEST_COMMENT:
        cause = f"the comment has {length} octets: at most {_LONGEST_COMMENT} fit"
        trial.refuse(checks.COMMENT_LENGTH, where, comment, cause, "write a shorter comment")
