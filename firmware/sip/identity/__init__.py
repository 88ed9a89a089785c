"""Who is at the other end and how they want to be announced, read from the headers of a request."""
