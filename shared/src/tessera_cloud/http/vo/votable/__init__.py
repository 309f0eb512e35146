"""Tables in the format VOTable, which all protocols of the Virtual Observatory use."""
