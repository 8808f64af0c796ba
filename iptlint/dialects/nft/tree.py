"""The syntax tree of nft, from text and from JSON alike."""

from iptlint.dialects.nft.definitions import *  # noqa: F403
from iptlint.dialects.nft.expressions import *  # noqa: F403
from iptlint.dialects.nft.nodes import Node  # noqa: F401
from iptlint.dialects.nft.statements import *  # noqa: F403
