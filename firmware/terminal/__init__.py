"""The button terminal: 2 to 5 keys for the customer."""
