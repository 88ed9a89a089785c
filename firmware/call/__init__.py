"""One call: offers and answers on one side, streams on the other. Pure."""
