"""What the phone does with calls, one thing a file; states and machine call them.

They hold no state, and build on what `firmware.phone.desk` has.
"""
