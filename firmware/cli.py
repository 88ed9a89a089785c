"""The `deskphone` command: arguments to verbs, errors to exit codes."""


def main() -> int:
    """Run the command line; returns the exit code."""
    return 2
