"""Firewalls that live in a shell script: read and worked through, never run.

``parser`` takes over the tree of tree-sitter's grammar of bash; ``lower.run_script`` works
through it and gives a ``steps.Script``: the commands for iptables, nft and ipset one by one,
in the order in which they are carried out, with the ruleset after each of them
(``Script.after``, ``Script.states``) and after all (``Script.final``).

What is assumed where the text does not say:

- The script is root's, and is called with ``start`` (or ``restart``, ``up``, ``load`` …) if it
  compares its first argument with that word, else without arguments. One that only defines
  functions has its function ``start`` called.
- The tools it asks for are there, and what sets up the host (modprobe, sysctl, mkdir …) works.
- It does not give up: of two ways that are possible, the one that ends in ``exit 1``, or in
  ``return 1`` before it changed anything, is not the one that is taken.
- An operand that is not known is one word (``-s $NET``, not ``-s $NET_AND_MORE_OPTIONS``).
- The tables are at first as in a kernel that has just started, where no other start is given.
- ``nft flush ruleset`` empties the tables of iptables too, as it does where they are those of
  iptables-nft.

Everything else that is known only at run time leaves several things possible. Rules that may
be there, or may be other rules, are in the model with an ``Uncertain`` test of the kind
``script``; a policy that may be another is a rule of that kind at the end of its chain. All
of it is told in one IPT002.
"""
