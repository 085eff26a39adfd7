"""Installs, starts, watches and stops every process of one portal; standard library only, so that it runs before anything is installed."""
