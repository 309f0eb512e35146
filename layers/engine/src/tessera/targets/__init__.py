"""Targets as users write them: names, numbers of catalogues, positions, and tables of these."""
