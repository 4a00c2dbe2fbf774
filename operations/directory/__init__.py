"""The directory as people keep it: a commented YAML file, its checks, its edits and its publication."""
