"""Home Assistant asks HAL: speech recognition, text to speech and the assistant over the Wyoming protocol."""
