"""What the gateway leans on: the listener, speech recognition and the language model."""
