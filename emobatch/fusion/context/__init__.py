"""Dialogue context: neighbouring rows of a speaker tend to be of one class."""
