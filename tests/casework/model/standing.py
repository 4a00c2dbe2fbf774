"""Facts as they stand after corrections: the log keeps both, the later one takes the other's place."""

from model.memory import once

ASSESSES = ["opened", "reopened", "assessed", "linked"]
FINAL = ["removed", "unavailable", "not_illegal"]
STEPS = ["acknowledged", "police_informed", "provider_informed"]
CORRECTABLE = [
    *FINAL,
    *STEPS,
    "assessed",
    "observed",
    "reappeared",
    "moved",
    "hosting_confirmed",
    "note",
    "escalation_acknowledged",
    "feed_acknowledged",
]
MOST_KEPT = 32
WITH_A_REPORT = ["opened", "reopened", "linked"]


@once
def standing(facts):
    """Answer the facts in the places where they came, each as it stands now."""
    found = corrected(facts)
    for withdrawal in filter(is_whole_withdrawal, facts):
        found = [_without_judging(fact, told, withdrawal) for fact, told in zip(found, facts, strict=True)]
    return found


def _without_judging(fact, told, withdrawal):
    """Answer a fact without what an origin judged with a report that it took back later."""
    is_earlier = told["number"] < withdrawal["number"] and told["by"] == withdrawal["by"]
    return fact | {"classification": None} if is_earlier and told["kind"] in WITH_A_REPORT else fact


@once
def corrected(facts):
    """Answer the facts as corrections left them."""
    if not any(fact["kind"] == "corrected" for fact in facts):
        return facts
    found = [dict(fact) for fact in facts]
    for correction in facts:
        if correction["kind"] == "corrected":
            for place, wrong in enumerate(found):
                if wrong.get("stands_as", wrong["number"]) == correction["ref"]:
                    _correct(found, place, correction)
                    break
    return found


def is_whole_withdrawal(fact):
    """Answer whether an origin took back all of its reports."""
    return fact["kind"] == "withdrawn" and fact["is_whole"]


def _correct(found, place, correction):
    wrong, put = found[place], correction["put"]
    was = wrong["kind"]
    is_an_end = wrong["kind"] in FINAL and not _has_no_effect(wrong)
    wrong["stands_as"] = correction["number"]
    if put is None and wrong["kind"] in {"opened", "reopened", "linked"}:
        wrong["classification"] = None
    elif put is None:
        wrong["kind"] = "taken_back"
    else:
        wrong |= {"kind": put, "classification": correction.get("classification")}
        wrong["role"] = correction.get("role") or wrong.get("role")
    if put is None and was == "feed_acknowledged":
        _uninform(found[place + 1 :], wrong["at"])
    if is_an_end:
        closing = found[place + 1]
        closing |= {"kind": "closing_taken_back"} if put is None else {"outcome": put}


def _uninform(later, at):
    """Take back that police were informed by the acknowledgement of a feed, in the same leg."""
    for fact in later:
        if fact["kind"] in {"assigned", "orphaned", "offered", "opened", "reopened"} or fact["at"] != at:
            return
        if fact["kind"] == "police_informed" and fact["by"] == "exchange":
            fact["kind"] = "taken_back"


def _has_no_effect(fact):
    return bool({"not_responsible", "out_of_order"} & set(fact["breaches"]))


def correctable(facts, where):
    """Answer what members stated and may correct: the newest 32, those of the leg before others.

    Args:
        facts: The facts since the case was a stub.
        where: From the number of a fact to the round and leg it was in.
    """
    stands = {fact["number"]: fact for fact in corrected(facts)}
    kept = []
    for fact in facts:
        if fact["kind"] == "corrected":
            kept = [one for one in kept if stands[one].get("stands_as") != fact["number"] or fact["put"]]
        if is_whole_withdrawal(fact):
            told = {one["number"]: one for one in facts}
            kept = [
                one for one in kept if told[one]["by"] != fact["by"] or told[one]["kind"] not in WITH_A_REPORT
            ]
        is_one = fact["kind"] in CORRECTABLE or (fact["kind"] in ASSESSES and fact.get("classification"))
        if fact["by"] == "exchange" or not is_one:
            continue
        if len(kept) == MOST_KEPT:
            spare = [one for one in kept if not _is_needed(stands[one], where(one) == where(fact["number"]))]
            kept.remove([*spare, kept[0]][0])
        kept.append(fact["number"])
    return [stands[number] for number in kept]


def _is_needed(one, is_of_this_leg):
    if _has_no_effect(one) or one["kind"] == "linked":
        return False
    assesses = one["kind"] in ASSESSES and one.get("classification") is not None
    return assesses or (is_of_this_leg and one["kind"] not in {"note", "observed"})
