"""A naive judge of "can this rule ever match", written without any code of iptlint.

``generate`` draws random filter tables; ``interpret`` walks packets through them.
"""
