"""The page, in a process of its own that knows the phone only through the control socket."""
