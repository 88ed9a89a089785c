"""What happens inside and outside dialogs, one verb a file."""
