from typing import Final

from aiokafka import codec
from aiokafka.record.default_records import DefaultRecordBatch, DefaultRecordBatchBuilder

from streams.light_compression import LEVEL, use_light_lz4

_LZ4: Final = 3
# What the archive level packs clearly better than the light one.
_VALUE: Final = " ".join(f"word{n * n % 307}" for n in range(4000)).encode()


def _batch() -> bytes:
    builder = DefaultRecordBatchBuilder(
        magic=2,
        compression_type=_LZ4,
        is_transactional=0,
        producer_id=-1,
        producer_epoch=-1,
        base_sequence=-1,
        batch_size=1 << 20,
    )
    builder.append(0, timestamp=0, key=b"k", value=_VALUE, headers=[])
    return bytes(builder.build())


def test_batches_are_compressed_at_the_light_level_and_read_as_ever() -> None:
    """A new aiokafka that compresses elsewhere would spend ten times the CPU again: this shows it."""
    use_light_lz4()
    use_light_lz4()
    made = _batch()
    light, archive = (len(codec.lz4_encode(_VALUE, level)) for level in (LEVEL, 9))
    assert abs(len(made) - light) < abs(len(made) - archive)
    assert len(made) < len(_VALUE)
    (record,) = DefaultRecordBatch(made)
    assert record.value == _VALUE
