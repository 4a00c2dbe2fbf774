"""How much a member's client takes on, and how long it waits: every bound in one place."""

import msgspec

from connectors.delivery_order import HoldLimits


class ClientLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Bounds of one client; the defaults suit a hotline with some thousand reports a day.

    Attributes:
        hold: Deliveries that may wait for missing numbers; beyond it their partition is not read.
        in_flight: Messages of one reader that may be handed out and not done; beyond it the reader waits.
        batch: Records taken from Kafka's buffer at once; between two batches the urgent inbox comes first.
        fetch_wait_ms: How long the broker may wait for new records; a partition may be that late when another
            one of the same inbox is silent. Shorter is quicker and busier.
        report_interval_s: Seconds between reports of the position to the exchange.
        start_timeout_s: Seconds until brokers and topics must have answered.
        send_timeout_s: Seconds until a send that is not confirmed is given back as an error.
        receipt_timeout_s: Seconds that an action waits for the receipt of the own report it names.
        rewraps: Whether the reader of the inbox answers requests to re-wrap content by itself; a program that
            switches it off owes the answer (`MemberClient.rewrap`).
        receipt_memory: Own submissions whose receipts are remembered, for actions that follow them.
    """

    hold: HoldLimits = HoldLimits()
    in_flight: int = 256
    batch: int = 64
    fetch_wait_ms: int = 100
    report_interval_s: float = 1.0
    start_timeout_s: float = 15.0
    send_timeout_s: float = 60.0
    receipt_timeout_s: float = 30.0
    rewraps: bool = True
    receipt_memory: int = 10_000
