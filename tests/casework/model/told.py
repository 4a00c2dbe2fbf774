"""Who learns of a fact by a delivery, in the order of the deliveries."""

from model.lists import unique
from model.questions import (
    holding,
    hosting,
    log,
    parking,
    parties,
    places,
    reporters,
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
        return _of_a_leg(facts, fact)
    if kind in OF_ITS_OWN and log.counts(fact):
        return OF_ITS_OWN[kind](facts, fact)
    return [update(facts, member) for member in _of_an_update(facts, fact) if member != fact["by"]]


def _of_one(facts, fact):
    """Answer what is told to one member that the fact names, or put into its feed."""
    if fact["member"] is None:
        return []
    if fact["kind"] == "fed":
        return [_hands_over("feed_item", f"feed.{fact['member']}", fact["report"])]
    if fact.get("rule") == "digest":
        return [_hands_over("digest_item", f"feed.{fact['member']}", fact["report"])]
    return [update(facts, fact["member"])]


def update(facts, member):
    """Answer an update: a fact, with the recipient's own latest report where it has one."""
    own = reporters.origin(facts, member)
    return member, {"kind": "update", "report": own["last"] if own else None}


def _hands_over(kind, member, report):
    return member, {"kind": kind, "report": report}


def _everybody_of(facts):
    return unique([member for member in [places.place(facts)] if member] + _origins(facts))


def _origins(facts):
    return [one["member"] for one in reporters.origins(facts)]


def _of_an_update(facts, fact):
    there = places.responsible(facts)
    if fact["kind"] == "closed":
        return _of_an_end(facts, fact)
    if fact["kind"] == "reopened":
        return _of_a_new_round(facts, fact)
    if fact["kind"] == "overdue":
        return _everybody_of(facts)
    if fact["by"] == there:
        return _origins(facts)
    if fact["kind"] == "observed" or not log.counts(fact):
        return [places.place(facts)] if places.place(facts) else []
    return _everybody_of(facts)


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
    return [m for m in unique([*_origins(facts), *were]) if m not in {None, fact["hotline"]}]


def _of_a_leg(facts, fact):
    there = places.place(facts)
    by_its_report = fact["report"] == fact["input"]
    found = [_hands_over("offer", member, fact["report"]) for member in places.pool(facts)]
    if there is not None and not (there == fact["origin"] and by_its_report):
        found.append(_hands_over("assignment", there, fact["report"]))
    for one in reporters.origins(facts):
        may_have_it = fact["kind"] == "offered" or one["member"] not in fact["members"]
        if there is not None and one["member"] not in {fact["origin"], there} and may_have_it:
            found.append(_hands_over("linked_report", there, one["last"]))
    if rounds.round_and_leg(facts)[1] == 1:
        return found
    found += _word_for(facts, fact)
    told = [member for member in _origins(facts) if not (by_its_report and member == fact["origin"])]
    were = log.before(facts, fact)
    handed_over = [places.place(were)] if places.place(were) else places.pool(were)
    for member in unique([*told, *handed_over, *places.former(facts)]):
        if member not in {None, there, *places.pool(facts)}:
            found.append(update(facts, member))
    return found


def _word_for(facts, fact):
    """Answer the word that took the case to where it is, for a hotline to which it is new."""
    word, hotline = hosting.word(facts), places.responsible(facts)
    if fact["kind"] != "assigned" or word is None or word["by"] in fact["members"]:
        return []
    if hotline in {word["by"], *places.former(facts)}:
        return []
    said = {"fact": word["action"], "by": word["by"], "ref": word["numbers"][0]}
    return [(hotline, update(facts, hotline)[1] | said)]


def _of_a_link(facts, fact):
    there, found = places.place(facts), []
    if there not in {None, fact["by"]} and fact["hotline"] == places.responsible(facts):
        kind = "update" if fact["origin"] in fact["members"] else "linked_report"
        found.append(_hands_over(kind, there, fact["report"]))
    if _joins_what_is_paused(facts, fact):
        found.append((fact["by"], update(facts, fact["by"])[1] | {"fact": "paused"}))
    return found


def _joins_what_is_paused(facts, fact):
    """Answer whether this first report brings an origin to a hold whose pause it has not been told."""
    in_force = holding.hold(facts)
    if in_force is None or reporters.origin(facts, fact["by"])["count"] > 1:
        return False
    were_told = [*places.former(facts), *places.pool(facts)]
    know = [places.responsible(facts), fact["hotline"], in_force["liaison"], *in_force["askers"]]
    return fact["by"] not in [*were_told, *know]


def _of_a_request(facts, fact):
    holders = unique([fact["origin"], *places.former(facts)])
    return [
        _hands_over("rewrap_request", m, fact["report"])
        for m in holders
        if m not in {places.responsible(facts), *fact["members"]}
    ]


def _of_a_move(facts, fact):
    told = unique([*_everybody_of(facts), *places.former(facts)])
    return [update(facts, member) for member in told if member != fact["by"]]


def _of_a_doubt(facts, _):
    return [update(facts, places.responsible(facts))]


def _of_all_holders(facts, fact):
    desk = [places.desk(facts)] if places.desk(facts) else []
    told = unique([*desk, *parties.holders(facts), *fact.get("members", [])])
    return [update(facts, member) for member in told if member != fact["by"]]


def _of_a_withdrawal(facts, fact):
    were_handed_it = {*fact["members"], places.responsible(facts), places.desk(facts), *places.former(facts)}
    told = [member for member, _ in _of_all_holders(facts, fact) if member in were_handed_it]
    return [_hands_over("update", member, fact["report"]) for member in told]


def _of_an_observation(facts, fact):
    there = places.place(facts)
    told = _origins(facts) if there == fact["by"] else [there]
    return [update(facts, member) for member in told if member not in {None, fact["by"]}]


def _of_a_disagreement(facts, fact):
    return [update(facts, member) for member in unique([fact["member"], places.responsible(facts)]) if member]


def _of_an_erasure(facts, fact):
    desk = ["desk-orphans"] if telling.had_a_delivery(facts, "desk-orphans") else []
    found = [_hands_over("erasure_request", reader, None) for reader in [*fact["members"], *desk]]
    if states.state(facts) != "closed":
        found += [update(facts, member) for member in _origins(facts) if member not in fact["members"]]
    return found


def _of_a_queue(facts, _):
    return (
        [] if states.state(facts) == "offered" else [update(facts, member) for member in _everybody_of(facts)]
    )


def _of_a_hold(facts, fact):
    """Those who know of it are told all, others that the provider's deadlines pause or go on."""
    knowing = [member for member in [fact["member"], *fact["members"]] if member]
    begins = fact["kind"] == "held" and fact["ref"] is None
    ends = fact["kind"] in {"released", "hold_expired", "hold_ended"} and fact["ref"] is not None
    others = (
        [places.desk(facts), *places.pool(facts), *_origins(facts), *places.former(facts)]
        if begins or ends
        else []
    )
    found = []
    for member in unique([*knowing, *others]):
        if member not in {None, fact["by"]}:
            shown = fact["kind"] if member in knowing else "paused" if begins else "resumed"
            found.append((member, update(facts, member)[1] | {"fact": shown}))
    return found


def _of_a_request_for_a_hold(_, fact):
    return [_hands_over("hold_request", fact["member"], None)]


def _of_a_breach(_, fact):
    return [_hands_over("update", fact["member"], None)]


def _of_a_rewrap(facts, fact):
    there = places.place(facts)
    may_have_it = there is not None and fact["origin"] not in fact["members"]
    return [_hands_over("rewrapped_report", there, fact["report"])] if may_have_it else []


def _of_a_split(_, fact):
    if fact["origin"] == fact["by"]:
        return []
    return [(fact["origin"], {"kind": "update", "report": fact["report"]})]


OF_ITS_OWN = {
    "linked": _of_a_link,
    "hold_asked": _of_a_request_for_a_hold,
    "breach_reported": _of_a_breach,
    **dict.fromkeys(TOLD_TO_ONE, _of_one),
    **dict.fromkeys([kind for kind in holding.OF_A_HOLD if kind != "hold_asked"], _of_a_hold),
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
    "rewrap_asked": _of_a_request,
    "rewrapped": _of_a_rewrap,
    "key_mismatch": _of_a_split,
}
