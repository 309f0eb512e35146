"""astrocut's classes and functions for ASDF images and spectra."""
