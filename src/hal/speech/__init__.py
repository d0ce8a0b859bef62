"""The speech service: transcribes recordings with faster-whisper, and speaks through Piper."""
