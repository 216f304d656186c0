"""Proving and refuting sentences about models."""
