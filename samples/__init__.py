"""Synthetic prescription sheets: seeded, deterministic, without a single real person or photograph.

``samples.corpus.pages`` yields pages with their truth; ``python -m samples.make`` writes them into a folder;
``samples/rendered`` holds the few that are kept in the repository.
"""
