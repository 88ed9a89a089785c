"""Who we are, proved: digest, a SIM card, security agreements, challenges of our own."""
