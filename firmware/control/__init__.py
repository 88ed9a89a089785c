"""The JSON-lines control socket: server, clients, schema.

The phone implements `server.Handler`; `client.Client` blocks, `async_client.AsyncClient` does not.
"""
