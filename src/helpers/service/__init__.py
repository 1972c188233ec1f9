"""Managerial analyses: what the estimates mean for those who run the shop."""
