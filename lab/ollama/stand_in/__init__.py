"""A stand-in for Ollama, for the lab: its command line and HTTP API over llama.cpp."""

VERSION = "0.0.0-stand-in"
