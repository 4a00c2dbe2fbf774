"""What a delivery shows of the case and of its fact, beside the report that it hands over."""

from model.questions import holding, hosting, noting, places

ASKS = ["corrected", "withdrawn", "erased"]


def shown(facts, fact, recipient, name):
    """Answer what a recipient is shown; to most a hold is shown without who, where and why."""
    says = {} if name in {"paused", "resumed"} else fact
    knows_of_holds = recipient in _who_know_of_holds(facts, fact)
    return {
        "by": says.get("by", "exchange"),
        "breaches": [one for one in says.get("breaches", []) if one != "despite_hold" or knows_of_holds],
        "host": says.get("country") or hosting.host(facts),
        "status": says.get("status") or hosting.hosting_status(facts),
        "ref": says.get("ref"),
        "hotline": places.responsible(facts),
        "chain": hosting.chain(facts),
        "priority": noting.priority(facts),
        "needs_confirmation": fact["kind"] in ASKS and recipient in fact["members"],
    }


def _who_know_of_holds(facts, fact):
    in_force = holding.hold(facts[: fact["number"] - 1]) or {"liaison": None, "askers": []}
    return [places.responsible(facts), in_force["liaison"], *in_force["askers"]]
