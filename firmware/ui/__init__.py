"""View to picture, key to action. Pure."""
