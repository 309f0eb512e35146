"""A simulated sector: full-size SPOC frames that are the same bytes on every machine."""
