"""What the phone does for the machine it lives on."""
