"""Requests for cutouts: what is asked for, which bytes it takes, and the answer."""
