"""Operations on sectors, cubes, the map of the sky, and MAST's portal."""
