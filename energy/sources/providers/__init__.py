"""Providers of prices, weather, hydropower and exchange rates, one file each."""
