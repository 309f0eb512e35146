"""Cutouts of ASDF images, and extraction of spectra from ASDF files."""
