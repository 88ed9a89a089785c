"""Ways and addresses as values: where requests go, what has failed, how we look from outside."""
