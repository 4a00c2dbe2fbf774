"""Who is handed a report, and who learns where the case goes with it."""

from model import notices
from model.lists import unique
from model.questions import holding, hosting, log, places, reporters, rounds


def of_a_leg(facts, fact):
    """Answer who learns that a leg begins: whoever has the case now, those who had it, and its origins."""
    there = places.place(facts)
    by_its_report = fact["report"] == fact["input"]
    found = [notices.hands_over("offer", member, fact["report"]) for member in places.pool(facts)]
    if there is not None and not (there == fact["origin"] and by_its_report):
        found.append(notices.hands_over("assignment", there, fact["report"]))
    for one in reporters.origins(facts):
        may_have_it = fact["kind"] == "offered" or one["member"] not in fact["members"]
        if there is not None and one["member"] not in {fact["origin"], there} and may_have_it:
            found.append(notices.hands_over("linked_report", there, one["last"]))
    if rounds.round_and_leg(facts)[1] == 1:
        return found
    found += _word_for(facts, fact)
    told = [member for member in notices.origins(facts) if not (by_its_report and member == fact["origin"])]
    were = log.before(facts, fact)
    handed_over = [places.place(were)] if places.place(were) else places.pool(were)
    for member in unique([*told, *handed_over, *places.former(facts)]):
        if member not in {None, there, *places.pool(facts)}:
            found.append(notices.update(facts, member))
    return found


def _word_for(facts, fact):
    """Answer the word that took the case to where it is, for a hotline to which it is new."""
    word, hotline = hosting.word(facts), places.responsible(facts)
    if fact["kind"] != "assigned" or word is None or word["by"] in fact["members"]:
        return []
    if hotline in {word["by"], *places.former(facts)}:
        return []
    said = {"fact": word["action"], "by": word["by"], "ref": word["numbers"][0]}
    return [(hotline, notices.update(facts, hotline)[1] | said)]


def of_a_link(facts, fact):
    """Answer who gets a report that joins a case."""
    there, found = places.place(facts), []
    if there not in {None, fact["by"]} and fact["hotline"] == places.responsible(facts):
        kind = "update" if fact["origin"] in fact["members"] else "linked_report"
        found.append(notices.hands_over(kind, there, fact["report"]))
    if _joins_what_is_paused(facts, fact):
        found.append((fact["by"], notices.update(facts, fact["by"])[1] | {"fact": "paused"}))
    return found


def _joins_what_is_paused(facts, fact):
    """Answer whether this first report brings an origin to a hold whose pause it has not been told."""
    in_force = holding.hold(facts)
    if in_force is None or reporters.origin(facts, fact["by"])["count"] > 1:
        return False
    were_told = [*places.former(facts), *places.pool(facts)]
    know = [places.responsible(facts), fact["hotline"], in_force["liaison"], *in_force["askers"]]
    return fact["by"] not in [*were_told, *know]


def of_a_request(facts, fact):
    """Answer who is asked to re-wrap a report: its origin and earlier hotlines."""
    holders = unique([fact["origin"], *places.former(facts)])
    return [
        notices.hands_over("rewrap_request", m, fact["report"])
        for m in holders
        if m not in {places.responsible(facts), *fact["members"]}
    ]


def of_a_rewrap(facts, fact):
    """Answer who gets a report with further recipients."""
    there = places.place(facts)
    may_have_it = there is not None and fact["origin"] not in fact["members"]
    return [notices.hands_over("rewrapped_report", there, fact["report"])] if may_have_it else []


def of_a_split(_, fact):
    """Answer who learns that its report left the case."""
    if fact["origin"] == fact["by"]:
        return []
    return [(fact["origin"], {"kind": "update", "report": fact["report"]})]
