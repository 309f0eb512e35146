"""Operations on what there is: sectors, cubes, the map, and MAST's portal."""
