"""Verification: what the logs of an exchange say is decided once more, and compared with what was written.

Modules by what they know: `findings` the names of what can be wrong; `facts`, `states`, `effects`, `contents`
what lies in the logs; `expected` what intake makes of submissions, `replay` what casekeeper makes of one
partition; `messages` compares both; `snapshot` is a point to begin from, `run` the whole.
"""
