"""White Label Loyalty's Rewards API, written from docs/contracts/whitelabel.md 1 to 3."""
