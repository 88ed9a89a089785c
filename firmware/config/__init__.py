"""The settings: schema, defaults, validation, change plan. Pure."""
