"""Cubes as labelled arrays: datasets of xarray, a store of Zarr, and references for other readers."""
