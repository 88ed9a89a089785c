"""The wiring test: a builder goes through every part of a phone, and is told which wire is wrong.

    board file ─▶ steps ─▶ walk ◀─ events of the board, answers of the builder, the time
                            │
                            ├─▶ effects: say this, light that, ring, draw, play, listen
                            └─▶ evidence ─▶ findings ─▶ lessons ─▶ lines of `[board]`

Pure: whoever has terminal and devices (`firmware.bootstrap.board_test`) performs the effects.
"""
