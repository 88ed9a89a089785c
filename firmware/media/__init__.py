"""The media engine: sound to packets and back, in a process with one real-time thread."""
