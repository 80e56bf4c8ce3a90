"""The hub: the long-lived process between sessions and panes, which keeps outputs and serves the pane."""
