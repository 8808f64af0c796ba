"""The lint rules IPT0xx; what the linter says of its own work are findings of them."""

from iptlint.rules.reading.ipt006_refused_value import refused
from iptlint.rules.reading.ipt009_internal_error import crashed
from iptlint.rules.reading.ipt010_input_limit import cut_short, left_out, not_enough, out_of_room

__all__ = ["crashed", "cut_short", "left_out", "not_enough", "out_of_room", "refused"]
