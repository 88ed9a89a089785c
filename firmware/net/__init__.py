"""asyncio and sockets: thin, without decisions."""
