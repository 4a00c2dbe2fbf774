"""Who learns of a fact by a delivery, in the order of the deliveries."""

from model import notices, told_of_holds, told_of_reports
from model.lists import unique
from model.questions import (
    holding,
    log,
    parking,
    parties,
    places,
    rounds,
    states,
    telling,
)

TOLD_TO_NOBODY = [
    *parking.OF_PARKING,
    "opened",
    "escalated",
    "awaited",
    "refused",
    "not_applicable",
    "readable",
    "shrunk",
    "feed_acknowledged",
    "confirmed",
    "claimed",
    "handed_back",
    "lease_expired",
    "declined",
    "transferred",
]
TOLD_TO_ONE = [
    "reminded",
    "escalation_unanswered",
    "moves_exceeded",
    "unconfirmed",
    "fed",
    "provider_overdue",
]


def who_learns(facts, fact):
    """Answer recipients, each with the kind of its delivery and the report that is handed over."""
    kind = fact["kind"]
    if kind in TOLD_TO_NOBODY:
        return []
    if kind in rounds.BEGINS_A_LEG:
        return told_of_reports.of_a_leg(facts, fact)
    if kind in OF_ITS_OWN and log.counts(fact):
        return OF_ITS_OWN[kind](facts, fact)
    return [notices.update(facts, member) for member in _of_an_update(facts, fact) if member != fact["by"]]


def _of_one(facts, fact):
    """Answer what is told to one member that the fact names, or put into its feed."""
    if fact["member"] is None:
        return []
    if fact["kind"] == "fed":
        return [notices.hands_over("feed_item", f"feed.{fact['member']}", fact["report"])]
    if fact.get("rule") == "digest":
        return [notices.hands_over("digest_item", f"feed.{fact['member']}", fact["report"])]
    return [notices.update(facts, fact["member"])]


def _of_an_update(facts, fact):
    there = places.responsible(facts)
    if fact["kind"] == "closed":
        return _of_an_end(facts, fact)
    if fact["kind"] == "reopened":
        return _of_a_new_round(facts, fact)
    if fact["kind"] == "overdue":
        return notices.everybody_of(facts)
    if fact["by"] == there:
        return notices.origins(facts)
    if fact["kind"] == "observed" or not log.counts(fact):
        return [places.place(facts)] if places.place(facts) else []
    return notices.everybody_of(facts)


def _of_an_end(facts, fact):
    """Who was responsible has made the end, unless the last report was taken back."""
    earlier = log.before(facts, fact)
    if fact["outcome"] == "withdrawn":
        there = [places.place(earlier)] if places.place(earlier) else places.pool(earlier)
        return unique([*there, *places.former(facts)])
    told = [*places.former(facts), *places.pool(earlier)]
    return [member for member in told if member != places.responsible(facts)]


def _of_a_new_round(facts, fact):
    """Everybody of the rounds before, except who becomes responsible: it gets an assignment."""
    earlier = log.before(facts, fact)
    were = [*places.former(earlier), places.place(earlier)]
    return [m for m in unique([*notices.origins(facts), *were]) if m not in {None, fact["hotline"]}]


def _of_a_move(facts, fact):
    told = unique([*notices.everybody_of(facts), *places.former(facts)])
    return [notices.update(facts, member) for member in told if member != fact["by"]]


def _of_a_doubt(facts, _):
    return [notices.update(facts, places.responsible(facts))]


def _of_all_holders(facts, fact):
    desk = [places.desk(facts)] if places.desk(facts) else []
    told = unique([*desk, *parties.holders(facts), *fact.get("members", [])])
    return [notices.update(facts, member) for member in told if member != fact["by"]]


def _of_a_withdrawal(facts, fact):
    were_handed_it = {*fact["members"], places.responsible(facts), places.desk(facts), *places.former(facts)}
    told = [member for member, _ in _of_all_holders(facts, fact) if member in were_handed_it]
    return [notices.hands_over("update", member, fact["report"]) for member in told]


def _of_an_observation(facts, fact):
    there = places.place(facts)
    told = notices.origins(facts) if there == fact["by"] else [there]
    return [notices.update(facts, member) for member in told if member not in {None, fact["by"]}]


def _of_a_disagreement(facts, fact):
    return [
        notices.update(facts, member)
        for member in unique([fact["member"], places.responsible(facts)])
        if member
    ]


def _of_an_erasure(facts, fact):
    desk = ["desk-orphans"] if telling.had_a_delivery(facts, "desk-orphans") else []
    found = [notices.hands_over("erasure_request", reader, None) for reader in [*fact["members"], *desk]]
    if states.state(facts) != "closed":
        found += [
            notices.update(facts, member)
            for member in notices.origins(facts)
            if member not in fact["members"]
        ]
    return found


def _of_a_queue(facts, _):
    told = [] if states.state(facts) == "offered" else notices.everybody_of(facts)
    return notices.updates(facts, told)


OF_ITS_OWN = {
    "linked": told_of_reports.of_a_link,
    "hold_asked": told_of_holds.of_a_request,
    "breach_reported": told_of_holds.of_a_breach,
    **dict.fromkeys(TOLD_TO_ONE, _of_one),
    **dict.fromkeys([kind for kind in holding.OF_A_HOLD if kind != "hold_asked"], told_of_holds.of_a_hold),
    "unclaimed": _of_a_queue,
    "corrected": _of_all_holders,
    "note": _of_all_holders,
    "withdrawn": _of_a_withdrawal,
    "observed": _of_an_observation,
    "reappeared": _of_an_observation,
    "disagreement": _of_a_disagreement,
    "erased": _of_an_erasure,
    "preserved": _of_a_move,
    "preservation_ended": _of_a_move,
    "moved": _of_a_move,
    "host_disputed": _of_a_doubt,
    "rewrap_asked": told_of_reports.of_a_request,
    "rewrapped": told_of_reports.of_a_rewrap,
    "key_mismatch": told_of_reports.of_a_split,
}
