"""Orders that are carried out while nobody waits."""
