"""A scanned matrix of rows and columns becomes keys; ghosts are recognised. Pure."""
