"""What made the models of models/tflite: one command each, seeded."""
