//! The loop around the broker: effects performed, the socket served, tokens kept.
