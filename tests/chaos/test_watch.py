from operations.chaos.watch import Recovery, Watch
from operations.simulator.ledger import Ledger


def test_a_fault_is_over_when_work_goes_on_as_before() -> None:
    """Members wait until what they had sent before it is answered, and something they sent after it."""
    ledger = Ledger()
    watch = Watch(ledger, started=0.0)
    ledger.sent("before", "report")
    watch.look(1.0)
    watch.fault(2.0, "worker killed")
    ledger.sent("after", "report")
    watch.look(3.0)
    ledger.answers["after"] = "accepted"
    watch.look(4.0)
    assert watch.recoveries() == {}
    ledger.answers["before"] = "accepted"
    watch.look(7.5)
    assert watch.recoveries() == {"worker killed": Recovery(faults=1, median_s=5.5, longest_s=5.5)}


def test_a_fault_during_which_nobody_can_send_is_not_over_at_once() -> None:
    """That nothing is unanswered proves nothing while members cannot send."""
    watch = Watch(ledger := Ledger(), started=0.0)
    watch.fault(2.0, "broker killed")
    watch.look(5.0)
    ledger.sent("later", "report")
    watch.look(8.0)
    ledger.answers["later"] = "accepted"
    watch.look(9.0)
    assert watch.recoveries() == {"broker killed": Recovery(faults=1, median_s=7.0, longest_s=7.0)}


def test_median_and_longest_wait_are_told_by_kind() -> None:
    """Kinds are told apart, and the longest wait is not hidden by the median."""
    ledger = Ledger()
    watch = Watch(ledger, started=0.0)
    for number, waits in enumerate((1.0, 2.0, 9.0)):
        at_s = 100.0 * number
        watch.fault(at_s, "zombie")
        ledger.sent(f"{number}", "report")
        watch.look(at_s + 0.5)
        ledger.answers[f"{number}"] = "accepted"
        watch.look(at_s + waits)
    assert watch.recoveries() == {"zombie": Recovery(faults=3, median_s=2.0, longest_s=9.0)}
