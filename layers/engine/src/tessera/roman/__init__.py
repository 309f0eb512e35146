"""Cutouts of ASDF images and spectra."""
