"""Lists of targets in the commands ``tessera cut`` and ``tessera lightcurve``: the plan, and the work."""
