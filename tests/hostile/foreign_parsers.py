"""Every parser of bytes that come from others, with sound inputs, and what it promises about all others."""

import directory_parsers
import evidence_parsers
import file_parsers
import message_parsers
import record_parsers
import sealed_parsers
import setting_parsers
import trust_parsers

PARSERS = (
    *record_parsers.PARSERS,
    *sealed_parsers.PARSERS,
    *message_parsers.PARSERS,
    *directory_parsers.PARSERS,
    *evidence_parsers.PARSERS,
    *trust_parsers.PARSERS,
    *file_parsers.PARSERS,
    *setting_parsers.PARSERS,
)
