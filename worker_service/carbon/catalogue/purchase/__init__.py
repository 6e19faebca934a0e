"""Goods and services bought."""
