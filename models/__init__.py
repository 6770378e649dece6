"""The models EmoBox uses: what they are, where they come from, and how they get here."""
