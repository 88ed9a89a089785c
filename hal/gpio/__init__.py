"""Keys, hook, dial, lamps and bell on the pins of a Raspberry Pi, through gpiozero.

`parts.open_parts` makes them from a board file. One thread, `worker.Worker`, does all that is done:
it sleeps until an edge or a deadline wakes it, so nothing polls while nobody touches the phone.
Only `pins` and the factories import gpiozero; what settles contacts is pure and stands in `hal`.
"""
