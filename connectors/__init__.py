"""How a member plugs in: its client and what that needs, running at the member with the member's keys."""
