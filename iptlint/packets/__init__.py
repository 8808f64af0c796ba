"""Sets of packets: the fields, the set algebra, a witness.

A set of packets is a Boolean function over the bits of a packet's fields, held as a
binary decision diagram; ``&``, ``|`` and ``~`` are the algebra and
``.satisfiable()`` asks whether any packet is in it.
"""
