"""What the sub-command `adc review` does: plan, serve, links, status, export, import, rehearse."""
