"""The folder of a saved model: its tensors and document, written whole and checked when read."""
