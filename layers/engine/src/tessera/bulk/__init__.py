"""Cutouts and light curves of lists of targets: reading a list, planning the reads, the work, and the products."""
