"""SODA: parameters, orders for cutouts, and answers."""
