"""Requests for the stars around a position."""
