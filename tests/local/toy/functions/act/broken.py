"""A function that cannot be imported."""

raise RuntimeError("broken at import")
