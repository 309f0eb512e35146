"""Jobs of UWS: what clients of SODA ask for in the background."""
