"""Questions about a case, each answered from all of its facts, from the first one on; by matter."""
