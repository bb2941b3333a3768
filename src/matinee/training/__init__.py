"""What fits are made of: epochs, priors, streaming passes and checkpoints."""
