"""What is worked out once about a thing, because several ask for it.

The answers are kept on the thing itself and go with it. A table of them beside it, even one with
weak keys, would keep for ever every thing that one of its own answers holds.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar

_S = TypeVar("_S")
_P = ParamSpec("_P")
_T = TypeVar("_T")


def memo(function: Callable[Concatenate[_S, _P], _T]) -> Callable[Concatenate[_S, _P], _T]:
    """Remembers the answers about the first argument, a thing that is not equal to any other; one
    for each value of the rest."""

    @wraps(function)
    def remembered(subject: _S, /, *args: _P.args, **kwargs: _P.kwargs) -> _T:
        answers = vars(subject).setdefault("_answers", {})
        key = (function, *args, *kwargs.items())
        if key not in answers:
            answers[key] = function(subject, *args, **kwargs)
        answer: _T = answers[key]
        return answer

    return remembered


_RECENT = 8


def recent(function: Callable[Concatenate[_S, _P], _T]) -> Callable[Concatenate[_S, _P], _T]:
    """The same for the few answers that were given last: of large ones, which are asked for several
    times in a row."""

    @wraps(function)
    def remembered(subject: _S, /, *args: _P.args, **kwargs: _P.kwargs) -> _T:
        answers = vars(subject).setdefault("_recent", {}).setdefault(function, {})
        key = (*args, *kwargs.items())
        known = key in answers
        answer: _T = answers.pop(key) if known else function(subject, *args, **kwargs)
        answers[key] = answer
        if len(answers) > _RECENT:
            del answers[next(iter(answers))]
        return answer

    return remembered
