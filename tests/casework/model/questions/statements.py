"""What members stated: how the content was assessed and by whom, and what they may correct."""

from model.lists import unique
from model.memory import once
from model.questions.log import counts, remembered
from model.questions.reporters import origin
from model.questions.rounds import round_and_leg
from model.standing import correctable as _correctable
from model.standing import standing


def assessment(facts):
    """Answer the newest assessment and who made it; a baseline one is changed by its maker only."""
    found, maker = None, None
    for fact in filter(counts, standing(remembered(facts))):
        if fact["kind"] in {"opened", "reopened", "assessed"} and fact.get("classification"):
            if found == "baseline" and maker != fact["by"]:
                continue
            found, maker = fact["classification"], fact["by"]
    return found, maker


def makers_of_a_baseline(facts):
    """Answer who judged the content as baseline: for the case, or with a report that joined this round."""
    found, maker = assessment(facts)
    makers = [maker] if found == "baseline" else []
    for one in correctable(facts):
        is_of_round = round_and_leg(facts[: one["number"]])[0] == round_and_leg(facts)[0]
        if one["kind"] == "linked" and one.get("classification") == "baseline" and is_of_round:
            makers.append(one["by"])
    return unique(member for member in makers if member == maker or origin(facts, member) is not None)


@once
def correctable(facts):
    """Answer what members stated and may correct, as it stands."""
    return _correctable(remembered(facts), lambda number: round_and_leg(facts[:number]))
