"""The JSON-lines control socket: server, client, schema."""
