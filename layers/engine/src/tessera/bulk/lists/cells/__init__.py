"""Read the cells of the columns of a list: numbers, positions, sizes, sectors and apertures."""
