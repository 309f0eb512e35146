"""FITS headers, HDUs and checksums as bytes."""
