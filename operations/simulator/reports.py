"""A simulated report: what its hotline would submit, and what is to become of it."""

from typing import Final

import msgspec

from connectors.drafts import ReportDraft
from operations.simulator.behaviour import Fate
from operations.simulator.turns import Turn


class SimulatedReport(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One report of the simulated year; fields are named as in the messages.

    Attributes:
        sender: Member id of the origin hotline.
        occurred_at: When it is submitted; milliseconds since epoch UTC.
        received_at: When the public reported it, to the minute; milliseconds since epoch UTC.
        reference: Its reference in the sender's system.
        complaint_id: Shared by the reports of one complaint.
        url: Its address, in a domain reserved for examples.
        hosting_country: Country or pseudo-country of the host.
        fate: What becomes of its location; a duplicate shares that of the first report.
        is_duplicate: Whether the same address was reported before.
        in_burst: Whether it belongs to a burst of its sender.
        turns: What happens to its location beside the steps of its fate, in order of time.
    """

    sender: str
    occurred_at: int
    received_at: int
    reference: str
    complaint_id: str
    url: str
    hosting_country: str
    content_type: str
    site_type: str
    is_source_page: bool = False
    hosting_status: str = "confirmed"
    hosting_is_cdn: bool = False
    hosting_ip: str | None = None
    hosting_asn: int | None = None
    referrer: str | None = None
    source_page: str | None = None
    content_topic: str | None = None
    detection_method: str = "user_report"
    previously_known: bool = False
    urgency: tuple[str, ...] = ()
    classification: str = "unassessed"
    age_category: str | None = None
    gender_category: str | None = None
    is_virtual: bool | None = None
    is_user_generated: bool | None = None
    is_child_modelling: bool | None = None
    is_duplicate: bool = False
    in_burst: bool = False
    turns: tuple[Turn, ...] = ()
    fate: Fate

    def draft(self, law_country: str) -> ReportDraft:
        """Answer what the sender's system hands to its client.

        Args:
            law_country: Country whose law the sender applied, where it judged the report.
        """
        judged = self.classification != "unassessed"
        return ReportDraft(
            **{field: getattr(self, field) for field in _DRAFT_FIELDS},
            law_country=law_country if judged else None,
            assessed_at=self.occurred_at if judged else None,
        )


_DRAFT_FIELDS: Final = tuple(
    field for field in SimulatedReport.__struct_fields__ if field in ReportDraft.__struct_fields__
)
