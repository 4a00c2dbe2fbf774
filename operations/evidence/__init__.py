"""Evidence: what a court or a police system gets of one case, and how it is checked without the exchange."""
