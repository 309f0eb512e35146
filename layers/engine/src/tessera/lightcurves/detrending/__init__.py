"""Detrending: take from light curves what comes from the instrument."""
