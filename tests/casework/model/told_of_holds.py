"""Who learns of a hold, and as what."""

from model import notices
from model.lists import unique
from model.questions import places


def of_a_hold(facts, fact):
    """Those who know of it are told all, others that the provider's deadlines pause or go on."""
    knowing = [member for member in [fact["member"], *fact["members"]] if member]
    begins = fact["kind"] == "held" and fact["ref"] is None
    ends = fact["kind"] in {"released", "hold_expired", "hold_ended"} and fact["ref"] is not None
    others = (
        [places.desk(facts), *places.pool(facts), *notices.origins(facts), *places.former(facts)]
        if begins or ends
        else []
    )
    waits_again = fact["kind"] == "held" and fact["by"] == "exchange"
    if waits_again:
        were_told = [*notices.origins(facts), *places.former(facts)]
        others = [places.desk(facts), *(one for one in places.pool(facts) if one not in were_told)]
    found = []
    for member in unique([*knowing, *others]):
        if member not in {None, fact["by"]}:
            shown = fact["kind"] if member in knowing else "resumed" if ends else "paused"
            found.append((member, notices.update(facts, member)[1] | {"fact": shown}))
    return found


def of_a_request(_, fact):
    """Answer who is to consent to a hold."""
    return [notices.hands_over("hold_request", fact["member"], None)]


def of_a_breach(_, fact):
    """Answer which police learn that the order of notices was broken."""
    return [notices.hands_over("update", fact["member"], None)]
