"""Lists: what every part of the model does with them."""


def unique(values):
    """Answer each value once, in the order of coming."""
    return list(dict.fromkeys(values))
