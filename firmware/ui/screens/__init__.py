"""One screen a file: `draw(canvas, scene)` for one mode of the phone. The table is `render`'s."""
