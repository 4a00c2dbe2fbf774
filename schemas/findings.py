"""What a check of the schemas finds: one rule broken at one place of one file."""

import msgspec


class Finding(msgspec.Struct, frozen=True, order=True):
    """One broken rule.

    Attributes:
        file: File concerned, relative to schemas/avro.
        path: Place in the schema, such as `/sender` or `/labels/items/scheme`; `/` is the whole.
        rule: Stable snake_case code of the rule.
        message: What is wrong and what is expected.
    """

    file: str
    path: str
    rule: str
    message: str

    def __str__(self) -> str:
        return f"{self.file} {self.path}: {self.message} ({self.rule})"
