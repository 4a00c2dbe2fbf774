"""Tables for people: what is copied out of them stays whole."""

import pytest

from casework.next_steps import NextStep
from operations.command_line.desk import in_words
from operations.command_line.output import print_table

CASE = "91959365-906c-8ad2-83e9-f79837dec0a9"


def test_a_case_id_is_never_cut_short(capsys: pytest.CaptureFixture[str]) -> None:
    """However much stands beside it, the id of a case is printed whole, so that it can be copied."""
    words = "words of a long line " * 5
    print_table("queue", ("case", *"abcdefgh"), [(CASE, *[words] * 8)])
    assert CASE in capsys.readouterr().out


def test_nobody_is_asked_for_a_notice_while_a_hold_lasts() -> None:
    """A deadline that a hold has stopped is told with the hold; one that runs is not."""
    stopped = NextStep(what="inform_provider", who=("us-ncmec",), due_at=None, since=0)
    running = NextStep(what="inform_provider", who=("us-ncmec",), due_at=1, since=0)
    assert in_words(stopped) == "inform the provider (not while the hold lasts)"
    assert in_words(running) == "inform the provider"
