"""A simulated sector: full-size SPOC frames that anyone can make again, byte for byte."""
