"""Rules about transfers: who may not be given the reports of which origins."""

from model import network


def withheld(now, hotline, origins):
    """Answer those of some origins whose reports a hotline may not be given."""
    if hotline is None:
        return []
    return [origin for origin in origins if not network.may_receive(now["directory"], hotline, origin)]
