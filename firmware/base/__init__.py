"""What every layer may use: deadlines and tokens. Pure."""
