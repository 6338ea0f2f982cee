"""Whether a message may go now: window, pair, throughput, tier, marketing (cloud-api.md 6, 7)."""
