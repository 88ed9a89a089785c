"""What every layer may use: deadlines, tokens and sample arithmetic. Pure."""
