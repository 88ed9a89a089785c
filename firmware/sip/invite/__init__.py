"""What the stages of a call share: its dialog, its offers, reliable answers, timers, redirection."""
