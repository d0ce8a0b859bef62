"""The voice gateway: WebSocket sessions in front of the listener, speech and the language model."""
