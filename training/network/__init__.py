"""From utterances to a trained network: configuration, features, batches, model, step, loop, checkpoints."""
