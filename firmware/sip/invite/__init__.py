"""What the stages of a call share: dialog, offers, reliable answers, timers, redirection."""
