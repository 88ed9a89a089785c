"""The loop: inbox, machines, performers."""
