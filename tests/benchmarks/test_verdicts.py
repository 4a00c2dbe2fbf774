"""What a measured value is worth against the demands, and how the table says it."""

import pytest

from benchmarks.verdicts import Outcome, Row, Target, as_builtins, markdown, table


@pytest.mark.parametrize(
    ("target", "value", "verdict"),
    [
        (Target(1.0, 1.5), 0.99, "short"),
        (Target(1.0, 1.5), 1.0, "must"),
        (Target(1.0, 1.5), 1.5, "goal"),
        (Target(20), 20, "goal"),
        (Target(None, 1.0), 0.5, "below goal"),
        (Target(3.0, 1.5, at_most=True), 3.1, "short"),
        (Target(3.0, 1.5, at_most=True), 2.0, "must"),
        (Target(3.0, 1.5, at_most=True), 1.5, "goal"),
        (None, 1.0, "told"),
    ],
)
def test_a_value_is_judged_by_its_demands(target: Target | None, value: float, verdict: str) -> None:
    """A value at a limit reaches it; one beyond `must` falls short, whichever direction is better."""
    assert Row("m", "w", value, "x", target).verdict == verdict


def test_the_table_shows_every_row_and_every_problem() -> None:
    """What fell short and what could not be measured stand in the text, and in the JSON with the verdict."""
    outcome = Outcome(
        "routing", [Row("routing", "stock Faust", 13.25, "x", Target(20))], {}, ["quix: absent"]
    )
    text = table([outcome])
    assert "13.2 x" in text
    assert ">= 20" in text
    assert "short" in text
    assert "routing: quix: absent" in text
    (told,) = as_builtins([outcome])
    assert told["rows"][0]["verdict"] == "short"


def test_the_table_for_the_docs_has_all_columns() -> None:
    """Each row becomes one line of Markdown with as many cells as the head."""
    rows = [Row("routing", "stock Faust", 13.25, "x", Target(20)), Row("urgent", "p99", 1482, "ms")]
    head, rule, *lines = markdown([Outcome("routing", rows)]).splitlines()
    assert len({line.count("|") for line in (head, rule, *lines)}) == 1
    assert "| 1,482 ms |" in lines[1]
