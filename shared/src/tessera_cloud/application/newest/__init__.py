"""CCDs that have frames and no cube yet."""
