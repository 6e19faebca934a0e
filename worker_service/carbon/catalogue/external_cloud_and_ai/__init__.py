"""Clouds and AI services bought outside."""
