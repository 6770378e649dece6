"""What only the demo needs: a scripted shop with real faces and voices, made from published media."""
