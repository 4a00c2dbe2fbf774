from collections import Counter

import pytest
from paper_play import PaperPlay

from casework.transitions import ACTIONS
from operations.invariants import examine
from operations.simulator import constants
from operations.simulator.parts import NOT_PLAYED, PLAYED_BY

pytestmark = pytest.mark.slow

_OFTEN = (
    "MOVED", "HOLD", "DECLINED", "TRANSFERRED", "DOUBTED", "OBSERVED", "NOTED", "CORRECTED", "WITHDRAWN",
    "REAPPEARED", "HANDED_BACK", "PRESERVED",
)  # fmt: skip


@pytest.fixture(scope="module")
def play() -> PaperPlay:
    """Return four weeks in which everything happens often."""
    with pytest.MonkeyPatch.context() as patch:
        for name in _OFTEN:
            patch.setattr(constants, f"{name}_SHARE", 0.15)
        patch.setattr(constants, "TRANSFERRED_SHARE", 0.8)
        patch.setattr(constants, "HOLD_SHARE", 0.3)
        patch.setattr(constants, "HOLD_RELEASED_SHARE", 1.0)
        patch.setattr(constants, "URGENCY_SHARES", {"possible_new_victim": 0.1, "abuse_in_progress": 0.05})
        played = PaperPlay(days=28, reports=300)
        played.run()
    return played


def test_every_action_of_the_table_is_played_or_named(play: PaperPlay) -> None:
    """Each action has somebody who takes it, or a reason why nobody does; what is named is what happens."""
    assert PLAYED_BY.keys() | NOT_PLAYED.keys() == ACTIONS
    assert not PLAYED_BY.keys() & NOT_PLAYED.keys()
    assert all(NOT_PLAYED.values())
    taken: dict[str, set[str]] = {}
    for member, action in play.ledger.acted:
        taken.setdefault(action, set()).add(play.directory.member(member).kind)
    assert {action: set(kinds) for action, kinds in PLAYED_BY.items()} == taken


def test_nothing_that_is_played_is_senseless(play: PaperPlay) -> None:
    """Without delay nothing is refused; nothing is lost, and all is decided the same again."""
    assert play.ledger.refusals == Counter()
    found = examine(play.paper.history())
    assert found.violations == ()
