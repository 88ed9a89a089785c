"""The sentences for people, one TOML a language."""
