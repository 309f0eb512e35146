"""The work on one band: read its rows, put the windows together, sum the pixels."""
