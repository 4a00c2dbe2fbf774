"""Writing down what comes of an event: facts with their deliveries, and receipts."""

from model import memory, shown, told
from model.questions import hosting, places, rounds, states


def begin(world, event, now):
    """Take note of what is decided next: its event, and the time of the decision."""
    world["input"], world["sender"] = event["id"], event.get("sender", "exchange")
    world["said"], world["position"] = event.get("said"), event.get("position")
    world["now"] = now
    world["first_fact"] = len(world["facts"])


def by_sender(world, kind, **more):
    """Write a fact that the sender stated."""
    _write(world, kind, world["sender"], {"said": world["said"], "position": world["position"], **more})


def by_rule(world, kind, **more):
    """Write a fact that follows from a rule."""
    _write(world, kind, more.pop("by", "exchange"), {"said": None, **more})


def _write(world, kind, by, more):
    facts = world["facts"]
    if not facts:
        world["cases"] += 1
        world["deliveries"] = []
    fact = {"kind": kind, "by": by, "breaches": [], "number": len(facts) + 1, "at": world["now"]}
    fact |= {
        "serial": memory.serial(),
        "input": world["input"],
        "version": world["directory"]["version"],
        "directory": world["directory"],
        **more,
    }
    facts.append(fact)
    made = world["answers"][-1]
    made["facts"].append(fact)
    round_number, leg = rounds.round_and_leg(facts)
    fact["deliveries"] = []
    for recipient, what in told.who_learns(facts, fact):
        before = sum(one["recipient"] == recipient for one in world["deliveries"])
        delivery = {"recipient": recipient, "number": before + 1, "fact": kind, "fact_number": fact["number"]}
        delivery |= {"round": round_number, "leg": leg, "state": states.state(facts)}
        delivery |= shown.shown(facts, fact, recipient, what.get("fact")) | what
        world["deliveries"].append(delivery)
        made["deliveries"].append(delivery)
        fact["deliveries"].append((recipient, before + 1))
    sent_at_admission = {"possible_new_victim", "abuse_in_progress"}
    was_sent = kind == "escalated" and fact.get("ref") is not None
    is_first = kind == "escalated" and fact["attempt"] == 1
    if kind == "escalated" and not (was_sent or (is_first and fact["reason"] in sent_at_admission)):
        escalation = {"to": fact["liaison"], "reason": fact["reason"], "report": fact["report"]}
        made["escalations"].append(escalation | {"attempt": fact["attempt"], "due_at": fact["due_at"]})


def answer(world, event, outcome, rule=None):
    """Answer the sender; a refusal tells nothing of the case."""
    facts = world["facts"]
    new = facts[world["first_fact"] :]
    receipt = {"id": event["id"], "to": event["sender"], "outcome": outcome, "rule": rule}
    receipt["breaches"] = new[0]["breaches"] if new else []
    if outcome != "refused" and facts:
        round_number, leg = rounds.round_and_leg(facts)
        receipt |= {
            "state": states.state(facts),
            "round": round_number,
            "leg": leg,
            "host": hosting.host(facts),
        }
        receipt |= {"hotline": places.responsible(facts), "fact": new[0]["number"] if new else None}
        receipt["outcome_of_case"] = states.outcome(facts) if states.state(facts) == "closed" else None
    world["answers"][-1]["receipts"].append(receipt)
