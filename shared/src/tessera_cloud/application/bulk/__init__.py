"""Lists of targets: price, plan, bands and results."""
