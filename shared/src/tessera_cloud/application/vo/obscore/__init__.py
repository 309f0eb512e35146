"""Cubes and images as ObsCore 1.1 describes observations, and searching them as SIA 2.0 does."""
