"""The desk phone as a pure state machine: (state, event, now) gives (state, commands)."""
