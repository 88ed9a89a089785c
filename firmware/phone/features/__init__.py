"""What the phone can do, one thing a file; states and machine call them, they hold no state."""
