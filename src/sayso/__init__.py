"""Sayso: an AI assistant acts only on your say-so, over WhatsApp."""
