"""The same model as a Mesa model with agents that are views on the engine's arrays."""
