"""A trained network becomes something that can be handed on: package, registry, exports, model card."""
