"""The microphone: sound to spotted phrases. Sound lives in memory only and never leaves this room."""
