"""Answers that are found once: facts are only ever added, so the same stretch of them answers the same."""

import functools
import itertools

_ANSWERS = {}
_SERIALS = itertools.count(1)


def serial():
    """Answer a number that no other fact has."""
    return next(_SERIALS)


def forget():
    """Forget all answers, because another history begins."""
    _ANSWERS.clear()


def once(question):
    """Let a question about facts be answered once for each stretch of them."""

    @functools.wraps(question)
    def ask(facts):
        if not facts:
            return question(facts)
        key = question, facts[0]["serial"], facts[-1]["serial"]
        if key not in _ANSWERS:
            _ANSWERS[key] = question(facts)
        return _ANSWERS[key]

    return ask
