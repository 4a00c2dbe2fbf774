"""Questions about a case, each answered from all of its facts, from the first one on."""

from model import network
from model.memory import once
from model.standing import correctable as _correctable
from model.standing import standing

STATES = [
    "awaited",
    "orphaned",
    "offered",
    "awaiting_rewrap",
    "assigned",
    "acknowledged",
    "assessed",
    "police_informed",
    "provider_informed",
    "closed",
]
WITH_A_HOTLINE = STATES[3:9]
OPEN = STATES[1:9]
STEPS = ["acknowledged", "assessed", "police_informed", "provider_informed"]
FINAL = ["removed", "unavailable", "not_illegal"]
OF_A_HOLD = [
    "held",
    "released",
    "hold_expired",
    "hold_ended",
    "hold_asked",
    "hold_refused",
    "hold_warned",
]
BEGINS_A_LEG = ["assigned", "orphaned", "offered"]
WITHOUT_EFFECT = {"not_responsible", "out_of_order"}


def is_by_feed(fact):
    """Answer whether police were informed by their feed."""
    return fact["kind"] == "police_informed" and fact["by"] == "exchange"


def counts(fact):
    """Answer whether a fact changes anything: one by the wrong member or out of order does not."""
    return not WITHOUT_EFFECT & set(fact["breaches"])


def last_of(facts, kinds):
    """Answer the last fact of some kinds that counts, or None."""
    for fact in reversed(facts):
        if fact["kind"] in kinds and counts(fact):
            return fact
    return None


@once
def remembered(facts):
    """Answer the facts since the case was a stub, which remembers nothing of its earlier rounds."""
    stub = last_of(facts, ["shrunk"])
    return facts[0 if stub is None else stub["number"] :]


@once
def this_round(facts):
    """Answer the facts of the round as they stand."""
    return _from_its_opening(standing(remembered(facts)))


def round_as_told(facts):
    """Answer the facts of the round, those that were corrected among them."""
    return _from_its_opening(remembered(facts))


def _from_its_opening(facts):
    """Answer the facts from the report that opened the round; after a stub, none until a report comes."""
    first = last_of(facts, ["opened", "reopened"])
    return [] if first is None else [fact for fact in facts if fact["number"] >= first["number"]]


@once
def this_leg(facts):
    """Answer the facts from the one that began the leg."""
    facts = this_round(facts)
    first = last_of(facts, ["opened", "reopened", *BEGINS_A_LEG])
    return [] if first is None else [fact for fact in facts if fact["number"] >= first["number"]]


def leg_as_told(facts):
    """Answer the facts of the leg, those that were corrected among them."""
    leg = this_leg(facts)
    return [fact for fact in facts if leg and fact["number"] >= leg[0]["number"]]


def has_a_report(facts):
    """Answer whether a report has ever come."""
    return any(fact["kind"] == "opened" for fact in facts)


def is_there(facts):
    """Answer whether there is a case: a report has come, or something waits for one."""
    return has_a_report(facts) or bool(waiting(facts))


def is_a_stub(facts):
    """Answer whether nothing is left of a closed case but a stub, or no report."""
    return state(facts) == "closed" and not origins(facts)


@once
def state(facts):
    """Answer the furthest step of the leg."""
    if not has_a_report(facts):
        return "awaited"
    if not this_round(facts):
        return "closed"
    found = "awaited"
    for fact in filter(counts, this_round(facts)):
        found = _state_after(found, fact)
    return found


def _state_after(found, fact):
    kind = fact["kind"]
    if kind in {"opened", "reopened"}:
        return "orphaned" if fact["hotline"] is None else "assigned"
    if kind in BEGINS_A_LEG:
        return kind
    if kind in [*FINAL, "closed"]:
        return "closed"
    if kind == "rewrap_asked":
        return "awaiting_rewrap" if found == "assigned" else found
    # Who waited for content begins when it can be opened, or when there is nothing left to wait for.
    if kind in {"readable", "erased", "closing_taken_back"}:
        return "assigned" if found == "awaiting_rewrap" else found
    # A liaison that read its feed takes no step for the hotline.
    goes_further = kind in STEPS and not is_by_feed(fact) and STATES.index(kind) > STATES.index(found)
    return kind if goes_further else found


@once
def round_and_leg(facts):
    """Answer the numbers of round and leg, from 1; 0 and 0 while only actions wait."""
    rounds = sum(fact["kind"] in {"opened", "reopened"} for fact in facts)
    if not rounds:
        return 0, 0
    if not this_round(facts):
        return rounds, last_of(facts, ["shrunk"])["leg_then"]
    return rounds, max(1, sum(fact["kind"] in BEGINS_A_LEG for fact in this_round(facts)))


@once
def responsible(facts):
    """Answer the hotline that is responsible, in a closed case the one that was last."""
    if not this_round(facts):
        stub = last_of(facts, ["shrunk"])
        return None if stub is None else stub["hotline_then"]
    return this_leg(facts)[0].get("hotline")


def desk(facts):
    """Answer the desk where an orphaned case waits."""
    leg = this_leg(facts)
    return leg[0].get("desk") if leg else None


def place(facts):
    """Answer who must act: the responsible hotline, or the desk; nobody where police alone were told."""
    return responsible(facts) or desk(facts)


@once
def host(facts):
    """Answer the hosting country."""
    if not this_round(facts):
        stub = last_of(facts, ["shrunk"])
        return "" if stub is None else stub["host_then"]
    return this_leg(facts)[0]["country"]


@once
def origins(facts):
    """Answer who reported, each with its first and its latest report and how many there were."""
    found = []
    for fact in filter(counts, remembered(facts)):
        if fact["kind"] in {"opened", "reopened", "linked"} and fact["by"] == fact["origin"]:
            for one in found:
                if one["member"] == fact["by"]:
                    one |= {
                        "last": fact["report"],
                        "last_at": fact["at"],
                        "digest": fact["digest"],
                        "count": one["count"] + 1,
                    }
                    break
            else:
                report = fact["report"]
                found.append(
                    {
                        "member": fact["by"],
                        "first": report,
                        "last": report,
                        "first_at": fact["at"],
                        "last_at": fact["at"],
                        "digest": fact["digest"],
                        "count": 1,
                    }
                )
        if fact["kind"] == "key_mismatch":
            found = [left for one in found if (left := _without(one, fact["origin"], fact["report"]))]
        if fact["kind"] == "withdrawn" and fact["report"] is not None:
            found = [left for one in found if (left := _without(one, fact["origin"], fact["report"]))]
        elif fact["kind"] == "withdrawn":
            found = [one for one in found if one["member"] != fact["origin"]]
    return found


def _without(origin, member, report):
    """Answer an origin without one report; its first and its latest are all that is known."""
    if origin["member"] != member:
        return origin
    if origin["count"] == 1:
        return None
    if report == origin["last"]:
        return origin | {
            "last": origin["first"],
            "last_at": origin["first_at"],
            "digest": None,
            "count": origin["count"] - 1,
        }
    return origin | {"first": origin["last"], "first_at": origin["last_at"], "count": origin["count"] - 1}


def origin(facts, member):
    """Answer what is known of one origin, or None."""
    return next((one for one in origins(facts) if one["member"] == member), None)


@once
def former(facts):
    """Answer the hotlines that were responsible before, in the order in which they came."""
    stub = last_of(facts, ["shrunk"])
    found, there = [], None if stub is None else stub["hotline_then"]
    for fact in remembered(facts):
        if fact["kind"] in {"opened", "reopened", *BEGINS_A_LEG}:
            if there not in {None, fact.get("hotline"), *found}:
                found.append(there)
            there = fact.get("hotline")
    return found


def outcome(facts):
    """Answer how the round ended, None while it has not."""
    fact = last_of(this_round(facts), ["closed"])
    return None if fact is None else fact["outcome"]


def closed_at(facts):
    """Answer when the round ended."""
    fact = last_of(this_round(facts), ["closed"])
    return None if fact is None else fact["at"]


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


def taken(facts):
    """Answer the actions taken in this leg; the provider's once for each role."""
    return [what_is_done(fact) for fact in this_leg(facts) if counts(fact) and fact["kind"] in STEPS + FINAL]


def what_is_done(action):
    """Answer what an action does: informing the host is another deed than informing the registrar."""
    if action["kind"] == "provider_informed":
        return f"provider_informed:{action.get('role') or 'host'}"
    return action["kind"]


def when_taken(facts, step):
    """Answer when a deadline's step was first taken in this leg, or None."""
    answers = {
        # Whoever has taken a later step has the report.
        "acknowledge": STEPS + FINAL,
        "inform_police": ["police_informed"],
        "inform_provider": ["provider_informed"],
        "confirm_removal": [*FINAL, "closed"],
    }[step]
    for fact in this_leg(facts):
        another = step == "inform_provider" and what_is_done(fact) != "provider_informed:host"
        another = another or (step == "acknowledge" and is_by_feed(fact))
        if fact["kind"] in answers and counts(fact) and not another:
            return fact["at"]
    return None


def overdue(facts):
    """Answer the steps of this leg that were said to be overdue."""
    return [fact["step"] for fact in this_leg(facts) if fact["kind"] == "overdue"]


@once
def leg_began(facts):
    """Answer when the clock of the leg began: with the leg, or when its hotline could open something."""
    found = None
    for fact in this_leg(facts):
        begins = fact["kind"] in {"opened", "reopened", *BEGINS_A_LEG}
        if begins or (
            fact["kind"] in {"readable", "erased"} and state(before(facts, fact)) == "awaiting_rewrap"
        ):
            found = fact["at"]
    return found


def before(facts, fact):
    """Answer the facts before one of them."""
    return facts[: fact["number"] - 1]


def rewrap_due(facts):
    """Answer until when content is to be re-wrapped, None when that is not waited for."""
    found = None
    for fact in filter(counts, this_leg(facts)):
        if fact["kind"] == "rewrap_asked":
            found = fact["due_at"]
        elif fact["kind"] in {"readable", "closed", "closing_taken_back", "erased"}:
            found = None
    return found


@once
def can_open(facts):
    """Answer who can open a content of the round: a list of members, or None for everybody."""
    found = []
    for fact in this_round(facts):
        if fact["kind"] in {"opened", "reopened", "linked", "rewrapped"}:
            if fact["sealed_for"] is None or found is None:
                found = None
            else:
                found = sorted({*found, *fact["sealed_for"]})
        # Nobody is asked to re-wrap what is not there any more.
        if fact["kind"] == "erased":
            found = None
    return found


def escalated(facts):
    """Answer the reasons escalated in this round."""
    return unique(fact["reason"] for fact in this_round(facts) if fact["kind"] == "escalated")


def liaisons(facts):
    """Answer the codes of the liaisons that had an escalation of the case."""
    return unique(fact["liaison"] for fact in remembered(facts) if fact["kind"] == "escalated")


@once
def waiting(facts):
    """Answer the actions that still wait for their report, in the order of their coming."""
    found = []
    for fact in remembered(facts):
        if fact["kind"] == "awaited":
            found.append(fact)
        else:
            found = [one for one in found if one["input"] != fact["input"]]
    return found


@once
def seen(facts):
    """Answer the submissions that the case remembers: the newest 32 of each sender."""
    found = []
    for fact in remembered(facts):
        if fact["said"] is not None and fact["input"] not in [one["input"] for one in found]:
            found.append(fact)
            own = [one for one in found if one["by"] == fact["by"]]
            if len(own) > 32:
                found.remove(own[0])
    return found


def last_time(facts):
    """Answer the time of the last fact: time in a case never runs backwards."""
    return facts[-1]["at"] if facts else 0


def hosting_status(facts):
    """Answer whether the hosting country is provisional or confirmed."""
    found = None
    for fact in filter(counts, round_as_told(facts)):
        if fact["kind"] == "linked":
            if fact["status"] == "confirmed" and fact["country"] == host(before(facts, fact)):
                found = "confirmed"
        elif fact.get("status") is not None:
            found = fact["status"]
    return found


def chain(facts):
    """Answer the hosting countries of the round in their order, once there are two."""
    found = []
    for fact in this_round(facts):
        if fact["kind"] in BEGINS_A_LEG and fact["country"] != (found or [None])[-1]:
            found.append(fact["country"])
    return found[-32:] if len(found) > 1 else []


def moves(facts):
    """Answer how often the content moved in this round."""
    return sum(fact["kind"] == "moved" and counts(fact) for fact in round_as_told(facts))


@once
def doubt(facts):
    """Answer the newer word on the host that the responsible hotline has not answered."""
    found = None
    for fact in filter(counts, leg_as_told(facts)):
        if fact["kind"] == "host_disputed":
            found = fact
        elif fact["kind"] in {"host_unanswered", "hosting_confirmed", "closed"}:
            found = None
        elif fact["kind"] == "corrected" and found is not None and fact["ref"] == found["number"] - 1:
            found = found if fact["wrong_kind"] not in {"observed", "moved"} else None
    return found


def had_a_delivery(facts, recipient):
    """Answer whether a member or a feed ever had a delivery of the case."""
    return any(to == recipient for fact in facts for to, _ in fact["deliveries"])


def may_say(facts, member, action):
    """Answer whether a member is entitled to an action; by a hold or by keeping it to police matters."""
    by_police_work = {"hold", "release", "preserve", "acknowledged", "confirmed"}
    return is_party(facts, member) if action in by_police_work else is_told_of_the_case(facts, member)


def is_party(facts, member):
    """Answer whether a member is entitled to speak about the case."""
    keepers = [*references(facts), *(one["by"] for one in preservations(facts))]
    of_holds = [one[who] for one in hold_requests(facts) for who in ("by", "liaison")]
    if hold(facts) is not None:
        of_holds += [*hold(facts)["askers"], hold(facts)["liaison"]]
    return member in [*keepers, *of_holds] or is_told_of_the_case(facts, member)


def is_told_of_the_case(facts, member):
    """Answer whether a member is a party by more than a hold or by keeping the case."""
    parties = [responsible(facts), *former(facts), *pool(facts), *(one["member"] for one in origins(facts))]
    if member in parties or any(member in one["members"] for one in asked(facts)):
        return True
    who = network.MEMBERS.get(member, {"kind": "stranger"})
    if who["kind"] == "law_enforcement":
        return _is_police_of(facts, member)
    if who["kind"] == "authority":
        return had_a_delivery(facts, member)
    may_claim = state(facts) == "orphaned" and network.is_mandated(member)
    return may_claim or who["kind"] == "secretariat"


def _is_police_of(facts, member):
    who = network.MEMBERS[member]
    was_told = who["liaison"] in liaisons(facts) or had_a_delivery(facts, f"feed.{member}")
    return was_told or host(facts) in who["countries"]


def told_officials(facts):
    """Answer the police and authorities that were told anything of the case, and are entitled to it."""
    found = []
    for member, who in sorted(network.MEMBERS.items()):
        is_told = who.get("liaison") in liaisons(facts) or had_a_delivery(facts, member)
        is_told = is_told or had_a_delivery(facts, f"feed.{member}")
        if who["kind"] == "authority" and is_told:
            found.append(member)
        if who["kind"] == "law_enforcement" and is_told and _is_police_of(facts, member):
            found.append(member)
    return found


def unique(values):
    """Answer each value once, in the order of coming."""
    return list(dict.fromkeys(values))


def deliveries(facts):
    """Answer how many deliveries each member has had since the case was a stub."""
    found = {}
    for fact in remembered(facts):
        for recipient, number in fact["deliveries"]:
            found[recipient] = number
    return found


@once
def correctable(facts):
    """Answer what members stated and may correct, as it stands."""
    return _correctable(remembered(facts), lambda number: round_and_leg(facts[:number]))


def is_of_this_leg(facts, fact):
    """Answer whether a fact was stated in the current leg."""
    return round_and_leg(facts[: fact["number"]]) == round_and_leg(facts)


def holders(facts):
    """Answer the members that may hold what was told of the case."""
    found = [responsible(facts), *(one["member"] for one in origins(facts)), *former(facts)]
    if hold(facts) is not None:
        found += [hold(facts)["liaison"], *hold(facts)["askers"]]
    return unique(member for member in found if member is not None)


@once
def asked(facts):
    """Answer the newest 16 facts that asked members to confirm, with those who have not."""
    found = []
    for fact in remembered(facts):
        kind = fact["kind"]
        if kind in {"corrected", "withdrawn", "erased"} and fact["members"]:
            one = {"number": fact["number"], "members": fact["members"], "due_at": fact["due_at"]}
            found = [*found, one | {"told": False}][-16:]
        elif kind in {"confirmed", "unconfirmed"}:
            for one in found:
                if one["number"] == fact["ref"] and kind == "confirmed":
                    one["members"] = [member for member in one["members"] if member != fact["by"]]
                elif one["number"] == fact["ref"]:
                    one["told"] = True
            found = [one for one in found if one["members"]]
    return found


@once
def erase_at(facts):
    """Answer when the contents are to be erased, None while the case is open and once they are."""
    found = None
    for fact in remembered(facts):
        kind = fact["kind"]
        goes_on = kind == "corrected" and state(facts[: fact["number"]]) != "closed"
        if kind == "closed" or (kind == "linked" and found is None):
            found = fact["erase_at"]
        elif kind in {"opened", "reopened", "erased"} or goes_on:
            found = None
    return found


def preservations(facts):
    """Answer until when which police keep the contents: of each the newest word."""
    found = []
    for fact in remembered(facts):
        if fact["kind"] == "preserved" and fact["until"] is not None:
            found = [one for one in found if one["by"] != fact["by"] and one["until"] > fact["at"]]
            found.append({"by": fact["by"], "until": fact["until"]})
        elif fact["kind"] == "preservation_ended":
            found = [one for one in found if one["by"] not in fact["members"] and one["until"] > fact["at"]]
        elif fact["kind"] == "erased":
            found = []
    return found


def references(facts):
    """Answer the police whose references keep the contents."""
    found = []
    for fact in remembered(facts):
        kind, owner = fact["kind"], fact["by"]
        if kind == "held" and owner == responsible(before(facts, fact)):
            owner = fact["member"]
        attaches = {"preserved", "escalation_acknowledged", "held", "hold_asked"}
        if kind in attaches and fact["has_reference"]:
            found = unique([*found, owner])
        elif fact["kind"] == "preservation_ended":
            found = [member for member in found if member not in fact["members"]]
    return found


def pool(facts):
    """Answer the hotlines that the case is offered to."""
    return this_leg(facts)[0]["members"] if state(facts) == "offered" else []


def assigned_country(facts):
    """Answer the country whose rules apply to the leg."""
    leg = this_leg(facts)
    return leg[0].get("assigned_country") if leg else None


@once
def lease(facts):
    """Answer the claim by which the responsible hotline has the case, until a step of its makes it good."""
    leg = this_leg(facts)
    if not leg or leg[0]["kind"] != "assigned" or leg[0].get("until") is None or state(facts) == "closed":
        return None
    steps = [*STEPS[1:], *FINAL]
    hotline = responsible(facts)
    for fact in facts[leg[0]["number"] :]:
        ends = fact["kind"] in {*steps, "closed", "handed_back", "lease_expired"} and counts(fact)
        if ends and fact["by"] in {hotline, "exchange"} and fact.get("member") is None:
            return None
    queue = state(before(facts, leg[0]))
    return {"until": leg[0]["until"], "queue": queue}


@once
def declined(facts):
    """Answer who gave the case back in this round, since the content moved last."""
    found = []
    for fact in filter(counts, round_as_told(facts)):
        if fact["kind"] in {"declined", "transferred"}:
            found = unique([*found, fact["by"]])
        elif fact["kind"] == "moved":
            found = []
    return found


def could_claim(facts, member):
    """Answer whether a case that a hotline has now lay in a queue of this member before."""
    if network.MEMBERS.get(member, {}).get("kind") != "hotline" or not this_leg(facts):
        return False
    claimed, at = lease(facts), host(facts)
    was_at_desk = assigned_country(facts) != at if claimed is None else claimed["queue"] == "orphaned"
    if was_at_desk:
        return network.is_mandated(member)
    rule = network.COUNTRIES.get(at, {})
    return rule.get("routing") == "claim" and member in rule["hotlines"]


@once
def hold(facts):
    """Answer the hold in force."""
    found = None
    for fact in remembered(facts):
        kind = fact["kind"]
        if kind == "held":
            asked = next(
                (one for one in _requests(before(facts, fact)) if one["number"] == fact["answers"]), None
            )
            earlier = found or {"since": fact["at"], "by": fact["by"], "askers": [], "liaison": None}
            found = {"until": fact["until"], "liaison": fact["member"], "number": fact["number"]}
            found |= {
                "since": earlier["since"],
                "by": _set_by(earlier, fact),
            }
            found["askers"] = earlier["askers"]
            if asked is not None:
                others = [one for one in earlier["askers"] if one != asked["by"]]
                found["askers"] = [*others[-7:], asked["by"]]
            found["warned"] = sum(fact["until"] - ahead * network.HOUR <= fact["at"] for ahead in (72, 24))
        elif kind == "hold_warned":
            found = found | {"warned": found["warned"] + 1}
        elif kind in {"released", "hold_expired", "hold_ended"} and fact["ref"] is not None:
            found = None
    return found


def _set_by(earlier, fact):
    """Answer whose a hold is: what police have set stays theirs, whoever renews it."""
    if fact["by"] == "exchange":
        return earlier["by"]
    return fact["member"] if earlier["by"] == earlier["liaison"] else fact["by"]


@once
def hold_requests(facts):
    """Answer the holds that wait for the consent of the hosting liaison."""
    return _requests(facts)


def _requests(facts):
    found = []
    for fact in remembered(facts):
        if fact["kind"] == "hold_asked":
            one = {"by": fact["by"], "until": fact["until"], "number": fact["number"]}
            found = [other for other in found if other["by"] != fact["by"]]
            found.append(one | {"liaison": fact["member"]})
        elif fact["kind"] == "held":
            found = [one for one in found if one["number"] != fact["answers"]]
        elif fact["kind"] == "hold_refused":
            found = [one for one in found if one["number"] != fact["ref"]]
    return found


def has_consent(facts):
    """Answer whether police let the notice go in this leg: by their word, or because a hold expired."""
    for fact in leg_as_told(facts):
        is_word = fact["kind"] == "released" and (fact["ref"] is None or fact["by"] != responsible(facts))
        if is_word or fact["kind"] == "hold_expired":
            return True
    return False


def paused(facts):
    """Answer how long ended holds paused the provider's deadlines since the clock of the leg began."""
    total, since = 0, None
    began = leg_began(facts)
    for fact in remembered(facts):
        if fact["kind"] == "held" and since is None:
            since = fact["at"]
        ends = fact["kind"] in {"released", "hold_expired", "hold_ended"} and fact["ref"] is not None
        if ends and since is not None:
            total, since = total + max(0, fact["at"] - max(since, began)), None
    return total
