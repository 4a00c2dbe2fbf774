"""Random histories, told to the code and to a naive second model of the same rules (tests/casework/model)."""

import os

import pytest
from histories import Line, dice, histories
from hypothesis import HealthCheck, Phase, given, settings
from rare_stories import STORIES
from teller import Teller

pytestmark = pytest.mark.slow

EXAMPLES = int(os.environ.get("HX_MODEL_EXAMPLES", "60"))
EVENTS = int(os.environ.get("HX_MODEL_EVENTS", "60"))
FIRST = int(os.environ.get("HX_MODEL_FIRST", "0"))
"""Seed of the first long history: from another one on, all are new."""
MOST_EVENTS = max(EVENTS, 200)
"""Of every sixth of the long histories."""


@settings(
    max_examples=EXAMPLES // 3,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
    report_multiple_bugs=False,
)
@given(histories(EVENTS))
def test_the_code_says_what_a_naive_reading_of_the_rules_says(lines: list[Line]) -> None:
    """After every event of a random history facts, messages, state and timers are those of the model."""
    Teller().tell(lines)


@pytest.mark.parametrize("seed", range(FIRST, FIRST + EXAMPLES))
def test_long_histories_come_to_the_same(seed: int) -> None:
    """Code and model agree about long histories too, in which one matter leads to the next."""
    Teller().tell(dice(seed, EVENTS if seed % 6 else MOST_EVENTS))


@pytest.mark.parametrize("name", STORIES)
def test_rare_stories_come_to_the_same(name: str) -> None:
    """What takes many steps in one order is told to both on purpose."""
    Teller().tell(STORIES[name])
