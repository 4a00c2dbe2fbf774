"""Faust agents: intake checks submissions, casekeeper keeps the cases, deadlines wakes it; their metrics."""
