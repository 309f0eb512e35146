"""Cutouts of a service: what is asked for, by jobs where that takes long, and the files that come."""
