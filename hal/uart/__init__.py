"""A front panel of its own behind a serial port: docs/serial-panel.md has the protocol."""
