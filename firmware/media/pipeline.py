"""The way of a 20 ms frame between card and packet. Pure."""
