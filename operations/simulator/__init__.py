"""The simulator: a year of reports as published, and members that play it over the real Kafka.

`constants` holds the published figures, `year` makes the reports of a year from them, `statistics` compares
what came out with the figures, `simulate` is both for `hx simulate`. `run` plays the members: `cast` says
who acts for whom, `members` what they do with what they receive, `bad_input` what is sent wrong on purpose.
"""
