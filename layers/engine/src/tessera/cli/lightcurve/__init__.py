"""The command ``tessera lightcurve``."""
