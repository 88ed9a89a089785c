"""What a phone has whether or not it is in a call: lines, paths, sounds, lamps, its call list."""
