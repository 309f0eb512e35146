"""The command ``tessera``."""
