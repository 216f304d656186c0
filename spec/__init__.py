"""The specification of resource allocators: `spec.model`, and its proofs in `spec.proofs`."""
