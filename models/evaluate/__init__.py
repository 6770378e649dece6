"""Measures models on labelled data that the user names; needs only what the product runs with."""
